"""What differs between two cards of one topic, and whom it breaks."""

from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any

from contracts.compatibility.plain_values import Change

Card = Mapping[str, Any]
"""A topic's card as data, as `contracts/cards.json` has it."""

_HARMLESS_SETTINGS = {"compression.type", "unclean.leader.election.enable", "min.insync.replicas"}
"""How the broker keeps records; nobody sees another record for it."""


def card_changes(old: Card, new: Card) -> Iterator[Change]:
    """Every difference of the promises on a card; words for people are no difference."""
    if old["type"] != new["type"]:
        yield Change("", f"carries {new['type']} in place of {old['type']}", True, True)
    if old["key"] != new["key"]:
        yield Change("", f"key changed: {old['key']} → {new['key']}; order holds within a key", True, True)
    if old["dead_letters"] != new["dead_letters"]:
        yield Change("", f"dead letters go to {new['dead_letters']}, no more to {old['dead_letters']}", True)
    yield from _partitions(old["partitions"], new["partitions"])
    yield from _retention(old["retention_ms"], new["retention_ms"])
    yield from _end(old.get("sunset"), new.get("sunset"))
    for side in ("readers", "writers"):
        for one in old[side]:
            if one not in new[side]:
                what = f"{one} is no more among the {side}"
                yield Change("", what, breaks_readers=side == "readers", breaks_writers=side == "writers")
        yield from (Change("", f"{one} is among the {side} now") for one in new[side] if one not in old[side])
    was, becomes = old["config"], new["config"]
    for name in sorted({*was, *becomes}):
        if was.get(name) != becomes.get(name):
            yield _setting(name, was.get(name), becomes.get(name))


def has_ended(card: Card, today: date | None) -> bool:
    """Whether the day has come that its readers were told; without a day none has."""
    sunset = card.get("sunset")
    return today is not None and sunset is not None and date.fromisoformat(sunset) <= today


def _end(was: str | None, becomes: str | None) -> Iterator[Change]:
    """Days as ISO 8601 writes them; once told, an end never comes nearer."""
    if was == becomes:
        return
    if becomes is None:
        yield Change("", f"it does not end on {was} any more")
    elif was is not None and becomes < was:
        yield Change("", f"it ends on {becomes} already, {was} was promised", True)
    else:
        yield Change("", f"it ends on {becomes}" + (f", no more on {was}" if was else ""))


def _partitions(was: int, becomes: int) -> Iterator[Change]:
    if becomes > was:
        yield Change(
            "", f"partitions raised {was} → {becomes}: a key's records lie in two of them, without order", True
        )
    elif becomes < was:
        yield Change("", f"partitions lowered {was} → {becomes}: the topic has to be made anew", True, True)


def _retention(was: int, becomes: int) -> Iterator[Change]:
    """Milliseconds, -1 for ever."""
    if was != becomes:
        is_shorter = (inf if becomes < 0 else becomes) < (inf if was < 0 else was)
        verb = "shortened" if is_shorter else "lengthened"
        yield Change("", f"retention {verb} {was} → {becomes} ms", breaks_readers=is_shorter)


def _setting(name: str, was: str | None, becomes: str | None) -> Change:
    what = f"setting {name} {was or 'unset'} → {becomes or 'unset'}"
    if name in _HARMLESS_SETTINGS:
        return Change("", what)
    if name == "max.message.bytes" and was and becomes:
        return Change("", what, breaks_writers=int(becomes) < int(was))
    return Change("", what, True, True)
