"""Two sets of contracts compared, for those who read and for those who write by the older one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.compatibility.cards import Card, card_changes, has_ended
from contracts.compatibility.json_schema import Schema
from contracts.compatibility.plain_values import Change
from contracts.compatibility.schema_changes import changes


class Compatibility(StrEnum):
    """Whether somebody can go on as before."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"


@dataclass(frozen=True)
class ContractSet:
    """What is promised at one time."""

    schemas: Mapping[str, Schema]
    """By the name of the file, such as `status-changed.v1.json`."""
    cards: Mapping[str, Card]
    """By the name of the topic."""


@dataclass(frozen=True)
class Finding:
    """One difference, with its place, the reason in words, and a verdict for each side."""

    place: str
    what: str
    readers: Compatibility
    writers: Compatibility

    @property
    def is_breaking(self) -> bool:
        """Whether anybody can't go on as before."""
        return Compatibility.BREAKING in (self.readers, self.writers)


def findings(old: ContractSet, new: ContractSet, today: date | None = None) -> tuple[Finding, ...]:
    """Every difference between two sets of contracts, in the order of the old one's topics.

    On a topic that we write, `writers` are also the records that are kept from before, which readers by the new schema
    read. On one that others write only we read, and move with the release: there nothing breaks readers.

    A topic may go from the day on that its card has named as its end; without `today` none may.
    """
    return tuple(_findings(old, new, today))


def _findings(old: ContractSet, new: ContractSet, today: date | None) -> Iterator[Finding]:
    ended = {card["schema"].rpartition("/")[2] for card in old.cards.values() if has_ended(card, today)}
    for name, card in old.cards.items():
        if name not in new.cards:
            over = has_ended(card, today)
            what = f"topic gone, after its end on {card['sunset']}" if over else "topic gone"
            yield _finding(f"topic {name}", Change("", what, not over, not over))
        else:
            for change in card_changes(card, new.cards[name]):
                yield _finding(f"topic {name}", change)
    yield from (_finding(f"topic {name}", Change("", "topic added")) for name in new.cards if name not in old.cards)
    others_write = {card["schema"].rpartition("/")[2] for card in old.cards.values() if card["written_by_others"]}
    for name, schema in old.schemas.items():
        if name not in new.schemas:
            yield _finding(name, Change("", "schema gone", name not in ended, name not in ended))
        else:
            for change in changes(schema, new.schemas[name]):
                yield _finding(name, change, we_read=name in others_write)
    yield from (_finding(name, Change("", "schema added")) for name in new.schemas if name not in old.schemas)


def _finding(where: str, change: Change, *, we_read: bool = False) -> Finding:
    return Finding(
        f"{where}: {change.place}" if change.place else where,
        change.what,
        readers=_compatibility(change.breaks_readers and not we_read),
        writers=_compatibility(change.breaks_writers),
    )


def _compatibility(breaks: bool) -> Compatibility:
    return Compatibility.BREAKING if breaks else Compatibility.COMPATIBLE
