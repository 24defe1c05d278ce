"""Whatever is done to a log is found, at its place; and a log that was left alone is never suspected."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.plumbing.audit.chaining import link
from services.plumbing.audit.entries import GENESIS, LARGEST_NUMBER, ChainedEntry, canonical_json
from services.plumbing.audit.verifying import FORKED, Head, LogCheck, head_facts

SERVICE = "registry"
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
json_texts = st.none() | st.dictionaries(st.sampled_from(["status", "note", "title"]), texts).map(canonical_json)


def row(**values: Any) -> dict[str, Any]:
    written = {
        "at": datetime(2022, 2, 1, 18, 0, 0, 1, tzinfo=UTC),
        "action": "status.updated",
        "subject": "commitment/coal-finance",
        "client": "tracker",
        "ministry": None,
        "key_id": None,
        "before": None,
        "after": None,
    }
    return written | values


some = st.builds(row, action=texts, subject=texts, client=texts, before=json_texts, after=json_texts)
rows = st.lists(some, min_size=2, max_size=12)
tampered_with = settings(max_examples=40)


def logged(entries: Sequence[dict[str, Any]], position: int = 0, last: bytes = GENESIS) -> list[ChainedEntry]:
    return link(SERVICE, position, last, entries)


def heads_of(log: Sequence[ChainedEntry], *positions: int, first_seq: int = 1) -> list[Head]:
    return [Head(seq, p, log[p - 1].hash) for seq, p in enumerate(sorted(positions), first_seq)]


def checked(log: Sequence[ChainedEntry], heads: Sequence[Head] = ()) -> LogCheck:
    check = LogCheck(SERVICE, heads)
    for i, entry in enumerate(log):
        if not check.read(entry):
            check.explain(entry, log[i + 1 :])
            return check
    check.finish()
    return check


@tampered_with
@given(rows, st.data())
def test_a_log_that_was_left_alone_is_whole(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    log = logged(entries)
    heads = heads_of(log, *data.draw(st.sets(st.integers(1, len(log)))))
    assert checked(log, heads).found is None


@tampered_with
@given(rows, st.data())
def test_an_edited_entry_is_found(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    """
    Whichever column it is, whatever stands in it instead.
    """
    log = logged(entries)
    at = data.draw(st.integers(0, len(log) - 1))
    column = data.draw(st.sampled_from(["action", "subject", "client", "ministry", "key_id", "before", "after", "at"]))
    value = data.draw(texts) if column != "at" else datetime(2022, 2, 1, 18, 0, 0, 2, tzinfo=UTC)
    if getattr(log[at], column) == value:
        value = f"{value}."  # type: ignore[str-bytes-safe]
    edited = [*log[:at], replace(log[at], **{column: value}), *log[at + 1 :]]
    found = checked(edited).found
    assert found
    # An entry that was made equal to another one can't be told from that one.
    assert found.position == at + 1 and found.damage in ("edited", "swapped")


@tampered_with
@given(rows, st.data())
def test_a_removed_entry_is_found(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    """
    Where the rest keeps its positions, and where it is numbered anew.
    """
    log = logged(entries)
    at = data.draw(st.integers(0, len(log) - 2))
    left = [*log[:at], *log[at + 1 :]]
    renumbered = [replace(entry, position=number) for number, entry in enumerate(left, 1)]
    for tampered in (left, renumbered):
        found = checked(tampered).found
        assert found and (found.position, found.damage) == (at + 1, "missing")


@tampered_with
@given(rows, st.data())
def test_two_swapped_entries_are_found(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    """
    Whole, or their contents alone.
    """
    log = logged([{**entry, "subject": f"{entry['subject']}{n}"} for n, entry in enumerate(entries)])
    first = data.draw(st.integers(0, len(log) - 2))
    second = data.draw(st.integers(first + 1, len(log) - 1))
    one, other = log[first], log[second]
    chain = ("position", "previous", "hash")
    whole, contents = list(log), list(log)
    whole[first], whole[second] = replace(other, position=first + 1), replace(one, position=second + 1)
    contents[first] = replace(other, **{name: getattr(one, name) for name in chain})
    contents[second] = replace(one, **{name: getattr(other, name) for name in chain})
    for tampered in (whole, contents):
        found = checked(tampered).found
        assert found and (found.position, found.damage) == (first + 1, "swapped")


@tampered_with
@given(rows, st.data())
def test_a_log_that_was_cut_is_found_by_a_head_behind_its_end(
    entries: list[dict[str, Any]], data: st.DataObject
) -> None:
    log = logged(entries)
    end = data.draw(st.integers(0, len(log) - 1))
    published = data.draw(st.integers(end + 1, len(log)))
    found = checked(log[:end], heads_of(log, published)).found
    assert found and (found.position, found.damage) == (end + 1, "truncated")


@tampered_with
@given(rows, rows, st.data())
def test_a_log_that_was_put_back_and_went_on_is_found_by_its_heads(
    entries: list[dict[str, Any]], others: list[dict[str, Any]], data: st.DataObject
) -> None:
    """
    So is one that somebody wrote anew from some place on, with fitting hashes.
    """
    log = logged(entries)
    kept = data.draw(st.integers(0, len(log) - 1))
    last = log[kept - 1].hash if kept else GENESIS
    others = [{**one, "subject": f"{one['subject']}!"} for one in others]
    other_history = log[:kept] + logged([{**one, "action": "other"} for one in others], kept, last)
    published = data.draw(st.integers(kept + 1, len(log)))
    found = checked(other_history, heads_of(log, *{published, *range(1, kept + 1)})).found
    if entries[published - 1] == {**others[0], "action": "other"}:
        return
    assert found
    assert found.damage == ("rewritten" if len(other_history) >= published else "truncated")


@tampered_with
@given(rows, rows, st.data())
def test_a_restore_that_was_noted_explains_the_heads_that_it_lost_and_no_others(
    entries: list[dict[str, Any]], others: list[dict[str, Any]], data: st.DataObject
) -> None:
    log = logged(entries)
    kept = data.draw(st.integers(1, len(log) - 1))
    lost = data.draw(st.integers(kept + 1, len(log)))
    heads = heads_of(log, *{kept, lost, len(log)})
    forked = row(
        action=FORKED,
        before=canonical_json({"heads": 1, "first": head_facts(heads[1]), "last": head_facts(heads[-1])}),
        after=canonical_json({"position": kept, "hash": log[kept - 1].hash.hex()}),
    )
    went_on = log[:kept] + logged([forked, *others], kept, log[kept - 1].hash)
    later = Head(len(heads) + 1, len(went_on), went_on[-1].hash)

    explained = checked(went_on, [*heads, later])
    assert explained.found is None
    (fork,) = explained.forks
    assert (fork.went_on_behind, fork.last.position) == (kept, len(log))
    found = checked(went_on, [*heads, replace(later, hash=GENESIS)]).found
    assert found and found.damage == "rewritten"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, 'ü\u0007\n"\\/']}, '{"a":[true,null,"ü\\u0007\\n\\"\\\\/"],"b":1}'),
        ({"€": 1}, None),
        (1.5, None),
        (LARGEST_NUMBER + 1, None),
        ("\ud800", None),
        ({1: 2}, None),
    ],
)
def test_canonical_json_is_that_of_rfc_8785_or_none(value: Any, written: str | None) -> None:
    """
    Sorted names, no spaces, nothing escaped that need not be; what could be written in two ways is refused.
    """
    if written is not None:
        assert canonical_json(value) == written
    else:
        with pytest.raises((ValueError, TypeError)):
            canonical_json(value)
