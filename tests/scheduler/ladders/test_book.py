"""Ladder books: how they are read, which ladder is whose, and what is refused."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Span
from services.i18n.words import words_in
from services.plumbing.sentences import sentence_of
from services.scheduler.ladders.book import kind_of
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, LadderBookError, read_ladder_book
from services.scheduler.ladders.ladder import LadderCondition, Repeat, Rung, Step
from tests.scheduler.scenes import milestone

BOOK = """\
jitter: 90s
review_months: 4
moved_into_past: record
ladders:
  - name: mexican-summits
    when: {kinds: [event], readings: [on], parties: [MX], anchors: [nals-2022]}
    at: 10:30
    business_days: CA-QC
    rungs:
      - before-3bd
      - {step: on-the-day, at: "07:05", business_days: bound}
    every: 2w
  - name: others
    rungs: [before-1m]
"""
DAY = date(2022, 12, 10)
SUMMIT = milestone(DAY, reading=Reading.ON, anchor_id="nals-2022")


def test_a_book_is_read_as_it_stands_there() -> None:
    book = read_ladder_book(BOOK)
    summits, others = book.ladders

    assert (timedelta(seconds=90), 4, "record") == (book.jitter, book.review_months, book.moved_into_past)
    assert (
        LadderCondition(frozenset({"event"}), frozenset({"on"}), frozenset({"MX"}), frozenset({"nals-2022"}))
        == summits.when
    )
    assert [(r.step.name, r.at, r.business_calendar.name) for r in summits.rungs] == [
        ("before-3bd", time(10, 30), "CA-QC"),
        ("on-the-day", time(7, 5), "bound"),
    ]
    assert summits.repeat
    assert ("after-4w", time(10, 30)) == (summits.repeat.step(2).name, summits.at)
    assert ((Rung(Step("before", 1, "m")),), None) == (others.rungs, others.repeat)
    assert book.text == BOOK


def test_what_is_not_said_is_nine_by_those_who_are_bound_without_jitter_every_six_months() -> None:
    book = read_ladder_book("ladders: [{name: all, rungs: [on-the-day]}]")

    assert (timedelta(), 6, "tell") == (book.jitter, book.review_months, book.moved_into_past)
    assert (Rung(Step("on"), time(9)),) == book.ladders[0].rungs


@pytest.mark.parametrize(
    "what",
    [
        milestone(DAY, reading=Reading.BY, anchor_id="nals-2022"),
        milestone(DAY, reading=Reading.ON),
        milestone(DAY, reading=Reading.ON, anchor_id="nals-2022", parties=("US", "CA")),
        milestone(None, reading=Reading.UNDATED, anchor_id="nals-2022"),
    ],
)
def test_the_first_ladder_whose_whole_condition_is_met_is_a_milestones(what: Milestone) -> None:
    book = read_ladder_book(BOOK)

    assert book.ladder_for(SUMMIT).name == "mexican-summits"
    assert book.ladder_for(what).name == "others"


@pytest.mark.parametrize("reading", list(Reading))
def test_a_milestone_is_an_event_a_deadline_or_has_no_last_day(reading: Reading) -> None:
    kinds = {Reading.ON: "event", Reading.BY: "deadline", Reading.DURING: "deadline"}
    open_ended = Span(edtf="2022/..", earliest=date(2022, 1, 1), latest=None, precision=Precision.YEAR)

    assert kinds.get(reading, "review") == kind_of(milestone(DAY, reading=reading))
    assert kind_of(milestone(DAY, reading=reading).model_copy(update={"span": open_ended})) == "review"


def test_the_shipped_book_spreads_its_reminders_over_a_quarter_of_an_hour() -> None:
    assert timedelta(minutes=15) == DEFAULT_BOOK.jitter


ONE = "ladders:\n  - name: all\n    rungs: [{}]\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "the file is empty"),
        ("ladders: [", 1, "this is no YAML"),
        ("- 1", 1, "here stand names with values"),
        ("jitter: 15m\n", 1, "`ladders` is missing"),
        ("ladders: []\n", 1, "1 to 100 ladders"),
        ("colour: red\nladders: []\n", 1, "'colour' is unknown; there is jitter, review_months"),
        ("jitter: 15m\njitter: 5m\n", 2, "'jitter' stands here twice"),
        ("jitter: 2h\n" + ONE.format("on-the-day"), 1, "an hour at most"),
        ("jitter: soon\n" + ONE.format("on-the-day"), 1, "'soon' is not written like 15m"),
        ("review_months: 0\n" + ONE.format("on-the-day"), 1, "'0' is not written like 6"),
        ("review_months: 121\n" + ONE.format("on-the-day"), 1, "at most 120 months"),
        ("moved_into_past: maybe\n" + ONE.format("on-the-day"), 1, "'maybe' is none of tell, record"),
        (ONE.format("before-7x"), 3, "ladders[0].rungs[0]: 'before-7x' names no step: before-90d"),
        (ONE.format("before-0d"), 3, "names no step"),
        (ONE.format("before-99999d"), 3, "further away"),
        (ONE.format("review-1"), 3, "reviews are no rungs"),
        (ONE.format("before-7d, on-the-day, before-7d"), 3, "rungs[2]: before-7d stands here twice"),
        (ONE.format(""), 3, "a ladder has 1 to 20 rungs, not 0"),
        (ONE.format(", ".join(f"before-{i}d" for i in range(1, 22))), 3, "1 to 20 rungs, not 21"),
        (ONE.format("{at: '09:00'}"), 3, "`step` is missing"),
        (ONE.format("{step: before-1d, at: '24:00'}"), 3, "'24:00' is not written like 09:00"),
        (ONE.format("{step: before-1d, at: [1]}"), 3, "here stands a single value"),
        (ONE.format("{step: before-1bd, business_days: ZZ}"), 3, "'ZZ' names no holidays"),
        (ONE.format("{step: before-1bd, business_days: CA-XX}"), 3, "'CA-XX' is no part of CA"),
        (ONE.format("on-the-day") + "    every: 0d\n", 4, "'0d' is not written like 30d"),
        (ONE.format("on-the-day") + "    every: 3bd\n", 4, "'3bd' is not written like 30d"),
        (ONE.format("on-the-day") + "    every: 99999d\n", 4, "further apart than ten years"),
        (ONE.format("on-the-day") + "    every: {only_in: digests}\n", 4, "`step` is missing"),
        (ONE.format("on-the-day") + "    every: {step: 30d, only_in: mails}\n", 4, "'mails' is none of digests"),
        (ONE.format("on-the-day") + "    every: {step: 0d, only_in: digests}\n", 4, "'0d' is not written like 30d"),
        (ONE.format("on-the-day") + "    when: {}\n", 4, "asks for nothing"),
        (ONE.format("on-the-day") + "    when: {kinds: [party]}\n", 4, "'party' is none of event, deadline, review"),
        (ONE.format("on-the-day") + "    when: {parties: [MX]}\n", 2, "the last ladder is for all"),
        (ONE.format("on-the-day") + "  - name: all\n    rungs: [on-the-day]\n", 2, "two ladders are named 'all'"),
        (ONE.format("on-the-day") + "  - name: b\n    rungs: [on-the-day]\n", 2, "stands last"),
        ("ladders:\n  - rungs: [on-the-day]\n", 2, "`name` is missing"),
        ("ladders:\n  - name: Not A Slug\n    rungs: [on-the-day]\n", 2, "is not written like every-milestone"),
        ("ladders: &a [*a]\n", 1, "aliases"),
        ("ladders: {<<: 1}\n", 1, "here stands a list"),
        ("[" * 60_000, 1, "this is nested too deeply"),
        ("ladders: " + "[" * 500 + "]" * 500, 1, "this is nested too deeply"),
        ("jitter: 15m\nladders:\n" + "".join(" " * n + "-\n" for n in range(1, 200)), 34, "this is nested too deeply"),
        ("x" * 70_000, 1, "at most 65536 characters"),
    ],
)
def test_what_is_no_book_is_refused_with_file_line_and_reason(text: str, line: int, what: str) -> None:
    with pytest.raises(LadderBookError) as raised:
        read_ladder_book(text, "mine.yaml")

    assert str(raised.value).startswith(f"mine.yaml, line {line}: ")
    assert what in str(raised.value)


@pytest.mark.parametrize(
    ("text", "spanish", "french"),
    [
        (
            "ladders: {}\n",
            "x.yaml, línea 1: ladders: aquí va una lista",
            "x.yaml, ligne 1\u00a0: ladders\u00a0: ici figure une liste",
        ),
        ("jitter: 15m\n", "x.yaml, línea 1: falta `ladders`", "x.yaml, ligne 1\u00a0: `ladders` manque"),
        (
            ONE.format("{step: on-the-day, business_days: XX}"),
            "'XX' no designa días festivos",
            "'XX' ne désigne pas de jours fériés",
        ),
        ("[" * 60_000, "esto está anidado a demasiada profundidad", "l’imbrication est trop profonde"),
    ],
)
def test_a_refusal_is_told_in_the_readers_language(text: str, spanish: str, french: str) -> None:
    with pytest.raises(LadderBookError) as raised:
        read_ladder_book(text, "x.yaml")

    told = sentence_of(raised.value)
    assert spanish in told.said(words_in("es").catalogue.gettext)
    assert french in told.said(words_in("fr").catalogue.gettext)


@given(st.text(max_size=200) | st.text("ladersn:[]{}, -\n'\"&*!|>#0123", max_size=200))
def test_no_text_does_worse_than_to_be_refused(text: str) -> None:
    try:
        read_ladder_book(text)
    except LadderBookError as refused:
        assert refused.line >= 1


def test_the_book_as_json_says_all_that_was_read() -> None:
    told = read_ladder_book(BOOK).as_json()

    assert (told["jitter_seconds"], told["review_months"], told["moved_into_past"]) == (90, 4, "record")
    assert told["ladders"] == [
        {
            "name": "mexican-summits",
            "when": {"kinds": ["event"], "readings": ["on"], "parties": ["MX"], "anchors": ["nals-2022"]},
            "rungs": [
                {"step": "before-3bd", "at": "10:30", "business_days": "CA-QC"},
                {"step": "on-the-day", "at": "07:05", "business_days": "bound"},
            ],
            "at": "10:30",
            "every": "2w",
            "every_only_in": None,
        },
        {
            "name": "others",
            "when": {"kinds": [], "readings": [], "parties": [], "anchors": []},
            "rungs": [{"step": "before-1m", "at": "09:00", "business_days": "bound"}],
            "at": "09:00",
            "every": None,
            "every_only_in": None,
        },
    ]


@pytest.mark.parametrize(
    ("written", "only_in_digests"), [("30d", False), ("{step: 30d}", False), ("{step: 30d, only_in: digests}", True)]
)
def test_an_endless_end_may_be_told_in_digests_only(written: str, only_in_digests: bool) -> None:
    book = read_ladder_book(ONE.format("on-the-day") + f"    every: {written}\n")

    assert book.ladders[0].repeat == Repeat(30, "d", only_in_digests)
    [told] = book.as_json()["ladders"]
    assert (told["every"], told["every_only_in"]) == ("30d", "digests" if only_in_digests else None)
