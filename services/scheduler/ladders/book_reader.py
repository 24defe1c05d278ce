"""The text of a ladder book, read strictly: every slip is refused with its line.

All scalars are read as the words that stand there: YAML itself would make a truth of `on` and a number of `10:30`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import yaml

from contracts.vocabulary import Reading
from services.plumbing.bounded_yaml import YamlRefused, compose, line_of
from services.plumbing.business_days import UnknownCalendar, regional_calendar
from services.plumbing.sentences import Sentence, sentence_of
from services.scheduler.ladders.book import KINDS, ONLY_IN, IntoPast, LadderBook
from services.scheduler.ladders.business_calendar import BOUND, BusinessCalendar
from services.scheduler.ladders.ladder import MOST_RUNGS, NINE, Ladder, LadderCondition, Repeat, Rung, Step

MOST_LADDERS = 100

LONGEST_JITTER = timedelta(hours=1)
"""Well under the six hours after which a reminder is late."""

LONGEST_REPEAT = {"d": 3660, "w": 520, "m": 120}

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)

PARTY = re.compile(r"[A-Z]{2}|org-[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)

TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)

WINDOW = re.compile(r"0|([1-9][0-9]{0,4})(s|m|h)", re.ASCII)

EVERY = re.compile(r"([1-9][0-9]{0,4})(d|w|m)", re.ASCII)

NUMBER = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)

T = TypeVar("T")


class LadderBookError(ValueError):
    """A text is no ladder book: in which file, where in it, and what is wrong."""

    def __init__(self, file: str, line: int, place: str, what: Sentence) -> None:
        told = Sentence("%(place)s: %(what)s", place=place, what=what) if place else what
        super().__init__(Sentence("%(file)s, line %(line)s: %(what)s", file=file, line=line, what=told))
        self.file, self.line, self.place, self.what = file, line, place, what


@lru_cache(maxsize=16)
def read_ladder_book(text: str, file: str = "ladders.yaml") -> LadderBook:
    """The book of this text; raises `LadderBookError`, which names the file, the line and what is wrong there."""
    try:
        root = compose(text)
    except YamlRefused as refused:
        raise LadderBookError(file, refused.line, "", refused.what) from None
    if root is None:
        raise LadderBookError(file, 1, "", Sentence("the file is empty"))
    return _book(_Node(file, "", root), text)


@dataclass(frozen=True)
class _Node:
    """A node of the text, and how to say where it is."""

    file: str
    path: str
    node: yaml.Node

    def refused(self, what: Sentence) -> LadderBookError:
        return LadderBookError(self.file, line_of(self.node.start_mark), self.path, what)

    def fields(self, *known: str) -> "dict[str, _Node]":
        """The members of a mapping, all of whose names are known, each there once."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refused(Sentence("here stand names with values: %(known)s", known=", ".join(known)))
        found: dict[str, _Node] = {}
        for key, value in self.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            place = _Node(self.file, f"{self.path}.{name}".lstrip("."), value)
            if name not in known:
                told = Sentence("%(name)s is unknown; there is %(known)s", name=repr(name), known=", ".join(known))
                raise _Node(self.file, self.path, key).refused(told)
            if name in found:
                told = Sentence("%(name)s stands here twice", name=repr(name))
                raise _Node(self.file, self.path, key).refused(told)
            found[name] = place
        return found

    def items(self) -> "list[_Node]":
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.refused(Sentence("here stands a list"))
        return [_Node(self.file, f"{self.path}[{i}]", node) for i, node in enumerate(self.node.value)]

    def word(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.refused(Sentence("here stands a single value"))
        return str(self.node.value)

    def matching(self, pattern: "re.Pattern[str]", example: str) -> "re.Match[str]":
        word = self.word()
        if found := pattern.fullmatch(word):
            return found
        raise self.refused(Sentence("%(word)s is not written like %(example)s", word=repr(word), example=example))

    def one_of(self, words: tuple[str, ...]) -> str:
        if (word := self.word()) not in words:
            raise self.refused(Sentence("%(word)s is none of %(words)s", word=repr(word), words=", ".join(words)))
        return word


def _book(root: _Node, text: str) -> LadderBook:
    found = root.fields("jitter", "review_months", "moved_into_past", "ladders")
    if "ladders" not in found:
        raise root.refused(_missing("ladders"))
    places = found["ladders"].items()
    if not 1 <= len(places) <= MOST_LADDERS:
        raise found["ladders"].refused(Sentence("there are 1 to %(most)s ladders", most=MOST_LADDERS))
    ladders = tuple(map(_ladder, places))
    for place, ladder in zip(places, ladders, strict=True):
        if [one.name for one in ladders].count(ladder.name) > 1:
            raise place.refused(Sentence("two ladders are named %(name)s", name=repr(ladder.name)))
    for place, ladder in zip(places[:-1], ladders, strict=False):
        if ladder.when.is_empty:
            raise place.refused(Sentence("a ladder without a condition is everybody's, and stands last"))
    if not ladders[-1].when.is_empty:
        raise places[-1].refused(Sentence("the last ladder is for all that no other is for, so it has no condition"))
    return LadderBook(
        ladders,
        _or(found, "jitter", _window, timedelta()),
        _or(found, "review_months", _months, 6),
        _or(found, "moved_into_past", _into_past, "tell"),
        text,
    )


def _missing(name: str) -> Sentence:
    return Sentence("`%(name)s` is missing", name=name)


def _or(found: Mapping[str, _Node], name: str, read: Callable[[_Node], T], otherwise: T) -> T:
    return read(found[name]) if name in found else otherwise


def _ladder(place: _Node) -> Ladder:
    found = place.fields("name", "when", "at", "business_days", "rungs", "every")
    for needed in ("name", "rungs"):
        if needed not in found:
            raise place.refused(_missing(needed))
    at, business_calendar = _or(found, "at", _time, NINE), _or(found, "business_days", _business_calendar, BOUND)
    places = found["rungs"].items()
    if not 1 <= len(places) <= MOST_RUNGS:
        raise found["rungs"].refused(
            Sentence("a ladder has 1 to %(most)s rungs, not %(number)s", most=MOST_RUNGS, number=len(places))
        )
    rungs = tuple(_rung(one, at, business_calendar) for one in places)
    for i, rung in enumerate(rungs):
        if rung.step in [earlier.step for earlier in rungs[:i]]:
            raise places[i].refused(Sentence("%(name)s stands here twice", name=rung.step.name))
    return Ladder(
        found["name"].matching(SLUG, "every-milestone")[0],
        rungs,
        _or(found, "every", _repeat, None),
        at,
        _or(found, "when", _condition, LadderCondition()),
    )


def _rung(place: _Node, at: time, business_calendar: BusinessCalendar) -> Rung:
    if isinstance(place.node, yaml.ScalarNode):
        return Rung(_step(place), at, business_calendar)
    found = place.fields("step", "at", "business_days")
    if "step" not in found:
        raise place.refused(_missing("step"))
    return Rung(
        _step(found["step"]),
        _or(found, "at", _time, at),
        _or(found, "business_days", _business_calendar, business_calendar),
    )


def _step(place: _Node) -> Step:
    try:
        step = Step.named(place.word())
    except ValueError as error:
        told = Sentence(
            "%(error)s: before-90d, before-3bd, before-2w, before-1m, on-the-day, after-7d", error=sentence_of(error)
        )
        raise place.refused(told) from None
    if step.direction == "review":
        raise place.refused(Sentence("reviews are no rungs: `review_months` says how often they come"))
    return step


def _condition(place: _Node) -> LadderCondition:
    found = place.fields("kinds", "readings", "parties", "anchors")
    condition = LadderCondition(
        kinds=_or(found, "kinds", lambda place: _words(place, KINDS), frozenset()),
        readings=_or(found, "readings", lambda place: _words(place, tuple(Reading)), frozenset()),
        parties=_or(found, "parties", _parties, frozenset()),
        anchors=_or(found, "anchors", _slugs, frozenset()),
    )
    if condition.is_empty:
        raise place.refused(Sentence("this condition asks for nothing"))
    return condition


def _words(place: _Node, words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(one.one_of(words) for one in place.items())


def _parties(place: _Node) -> frozenset[str]:
    return frozenset(one.matching(PARTY, "MX or org-european-union")[0] for one in place.items())


def _slugs(place: _Node) -> frozenset[str]:
    return frozenset(one.matching(SLUG, "nals-2022")[0] for one in place.items())


def _time(place: _Node) -> time:
    return time.fromisoformat(place.matching(TIME, "09:00")[0])


def _business_calendar(place: _Node) -> BusinessCalendar:
    if (word := place.word()) == "bound":
        return BOUND
    try:
        return BusinessCalendar(regional_calendar(word))
    except UnknownCalendar as error:
        told = Sentence("%(error)s; or `bound`, for the days on which all who are bound work", error=sentence_of(error))
        raise place.refused(told) from None


def _window(place: _Node) -> timedelta:
    found = place.matching(WINDOW, "15m, 90s, 1h or 0")
    seconds = int(found[1] or 0) * {"s": 1, "m": 60, "h": 3600}.get(found[2], 0)
    if (window := timedelta(seconds=seconds)) > LONGEST_JITTER:
        raise place.refused(Sentence("the window is an hour at most"))
    return window


def _months(place: _Node) -> int:
    months = int(place.matching(NUMBER, "6")[0])
    if months > 120:
        raise place.refused(Sentence("at most 120 months lie between two reviews"))
    return months


def _into_past(place: _Node) -> IntoPast:
    return "tell" if place.one_of(("tell", "record")) == "tell" else "record"


def _repeat(place: _Node) -> Repeat:
    if isinstance(place.node, yaml.ScalarNode):
        return _repeat_of(place, only_in_digests=False)
    found = place.fields("step", "only_in")
    if "step" not in found:
        raise place.refused(_missing("step"))
    return _repeat_of(found["step"], only_in_digests=_or(found, "only_in", _only_in_digests, False))


def _only_in_digests(place: _Node) -> bool:
    return place.one_of((ONLY_IN,)) == ONLY_IN


def _repeat_of(place: _Node, *, only_in_digests: bool) -> Repeat:
    found = place.matching(EVERY, "30d, 4w or 1m")
    every, unit = int(found[1]), found[2]
    if every > LONGEST_REPEAT[unit]:
        raise place.refused(Sentence("that is further apart than ten years"))
    return Repeat(every, unit, only_in_digests)  # type: ignore[arg-type]  # as the pattern has it


DEFAULT_BOOK = read_ladder_book((Path(__file__).parent / "ladders.yaml").read_text(encoding="utf-8"), "ladders.yaml")
"""The book that is shipped, and holds until another is applied."""
