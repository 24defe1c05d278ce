"""The soak's receivers: the inbox's own doors for HTTP and mail, which judge what comes in; here it is only noted."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from deploy.embedded.inbox.behaviours import Behaviours, Failure
from deploy.embedded.inbox.kept import Box, Headers, Kind
from deploy.embedded.inbox.receiver import Inbox
from deploy.embedded.inbox.settings import InboxHttpSettings, InboxSettings
from tests.soak.plan import Spell

SECRET = "whsec_c29hay1zZWNyZXQtc29hay1zZWNyZXQtc29haw=="


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that a receiver took, with 2xx or 250; `status` is what it says, where a program can read it."""

    at: float
    name: str
    delivery_id: UUID
    commitment_id: str | None
    status: str | None


@dataclass
class Ledger(Box):
    """What was taken and what was turned away; no message is kept."""

    receipts: list[Receipt] = field(default_factory=list)
    turned_away: Counter[tuple[str, int]] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    """Messages that no receiver should get."""

    def add(
        self,
        kind: Kind,
        name: str,
        arrived_at: float,
        body: bytes,
        headers: Headers,
        *,
        title: str,
        delivery_id: str | None,
        commitment_id: str | None,
        thread: str | None = None,
        note: str = "",
    ) -> int:
        """Note a message; its number."""
        self.last += 1
        if delivery_id is None:
            self.strange.append(f"{name} got {title!r}, which is no delivery")
        else:
            status = json.loads(body)["data"]["overall"] if kind == "webhook" else None
            self.receipts.append(Receipt(arrived_at, name, UUID(delivery_id), commitment_id, status))
        return self.last

    def refuse(self, kind: Kind, name: str, status: int, reason: str, delivery_id: str | None, at: float) -> None:
        """Count what was turned away; only those that were told to may do it."""
        self.turned_away[name, status] += 1
        if reason != "told to fail":
            self.strange.append(f"{name} refused {delivery_id} with {status}: {reason}")


class Throttled:
    """Takes `rate` messages a second, evenly, and answers the others with 429."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._tokens, self._filled = 1.0, 0.0

    def answer(self, now: float) -> Failure | None:
        """How it fails at this moment (monotonic seconds), if it does."""
        self._tokens = min(1.0, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return None
        return Failure(429, 1.0)


class Deferring:
    """Asks everybody to come again during its spells, and takes everything outside them."""

    def __init__(self, spells: tuple[Spell, ...], begun: float) -> None:
        self._spells, self._begun = spells, begun

    def answer(self, now: float) -> Failure | None:
        """How it fails at this moment (monotonic seconds), if it does."""
        passed = now - self._begun
        spell = next((one for one in self._spells if one.begins <= passed < one.ends), None)
        return Failure(503, spell.retry_after) if spell else None


class Characters(Behaviours):
    """How receivers behave, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: dict[str, Throttled | Deferring] = {}

    async def meet(self, kind: str, name: str) -> Failure | None:
        """Say whether the receiver fails this time."""
        character = self.by_name.get(name)
        return character.answer(time.monotonic()) if character else None


def receivers(webhooks: list[str]) -> tuple[Inbox, Ledger, Characters]:
    """Doors that are not open yet, on free ports, and what they write into; `webhooks` check signatures."""
    ledger, characters = Ledger(), Characters()
    settings: dict[str, Any] = {"smtp_port": 0, "webhook_secrets": dict.fromkeys(webhooks, SECRET)}
    inbox = Inbox(InboxSettings(**settings), InboxHttpSettings(port=0), box=ledger, behaviours=characters)
    return inbox, ledger, characters
