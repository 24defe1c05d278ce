"""What the receivers have got, as people and programs read it: each message is expected once, and nothing besides."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2


@dataclass(frozen=True)
class Arrival:
    """One message as a receiver got it."""

    delivery_id: str | None
    """A mail's Message-ID where it is of no delivery; None for a card that is of none."""
    kind: str
    name: str
    at: float


@dataclass(frozen=True)
class Message:
    """One message as its receiver reads it."""

    number: int
    kind: str
    name: str
    title: str
    """A mail's subject, the heading of a card, type and subject of an event."""
    delivery_id: str
    commitment_id: str
    headers: Mapping[str, str]
    """By their names in lower case; a mail's own, or those of the HTTP request."""
    text: str
    """A mail's text part, with its lines joined; every text of a card; a webhook's JSON."""
    links: tuple[str, ...]

    @property
    def event(self) -> dict[str, Any]:
        """What a webhook carries: the CloudEvent."""
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass(kw_only=True)
class InboxReader:
    """Reads the inbox of a stack; what a test has read or expected is not shown to it again."""

    http: httpx2.AsyncClient
    inbox_url: str
    _unread: list[dict[str, Any]] = field(default_factory=list)
    _read_to: int = 0

    async def arrivals(self) -> list[Arrival]:
        """Everything that receivers have got, oldest first."""
        response = await self.http.get(f"{self.inbox_url}/dev/inbox/arrivals")
        return [Arrival(*row) for row in response.json()]

    async def messages(self, kind: str, name: str) -> list[dict[str, Any]]:
        """What one receiver has got, oldest first, 500 at most."""
        response = await self.http.get(
            f"{self.inbox_url}/dev/inbox/messages", params={"kind": kind, "name": name, "limit": 500}
        )
        found: Any = response.json()
        return found["messages"] if isinstance(found, dict) else found

    async def read_all(self) -> None:
        """Take no more notice of what has come so far."""
        await self._collect()
        self._unread = []

    async def read(self, name: str) -> list[Message]:
        """What one receiver has got and nobody has read yet, oldest first."""
        await self._collect()
        taken = [m["number"] for m in self._unread if _short(m) == name]
        self._unread = [m for m in self._unread if _short(m) != name]
        return [await self._whole(number) for number in taken]

    async def expect_mail(self, *, to: str, subject: str) -> Message:
        """One mail has come, and no other of that subject; `to` is the part before the @."""
        return await self._expect("email", to, subject, lambda message: message.title)

    async def expect_card(self, name: str, words: str, *, channel: str = "slack") -> Message:
        """One card has come, and no other with these words."""
        return await self._expect(channel, name, words, lambda message: message.text)

    async def expect_event(self, name: str, topic: str, commitment: str, **facts: Any) -> dict[str, Any]:
        """One webhook of this topic about this commitment has come, and no other; it has these facts. Its data."""
        title = f"org.pledgewire.{topic}.v1: {commitment}"
        event = (await self._expect("webhook", name, title, lambda message: message.title)).event
        data: dict[str, Any] = event["data"]
        assert {fact: data[fact] for fact in facts} == facts
        return data

    async def expect_nothing(self, *names: str, about: str | None = None) -> None:
        """These receivers have got nothing but what was expected, about anything or one commitment."""
        await self._collect()
        more = [m for m in self._unread if _short(m) in names and about in (None, m["commitment_id"])]
        assert [(m["kind"], m["name"], m["title"]) for m in more] == []

    async def _expect(self, kind: str, name: str, words: str, part: Callable[[Message], str]) -> Message:
        await self._collect()
        here = [await self._whole(m["number"]) for m in self._unread if (m["kind"], _short(m)) == (kind, name)]
        found = [message for message in here if words in part(message)]
        assert len(found) == 1, f"{len(found)} for {name} with {words!r} among {[part(m) for m in here]}"
        self._unread = [m for m in self._unread if m["number"] != found[0].number]
        return found[0]

    async def _collect(self) -> None:
        while True:
            response = await self.http.get(
                f"{self.inbox_url}/dev/inbox/messages", params={"after": self._read_to, "limit": 1000}
            )
            found = response.json()["messages"]
            if not found:
                return
            self._read_to = found[-1]["number"]
            self._unread += found

    async def _whole(self, number: int) -> Message:
        found = (await self.http.get(f"{self.inbox_url}/dev/inbox/messages/{number}")).json()
        mail = found.get("mail")
        match found["kind"]:
            case "email":
                text = " ".join(mail["text"].split())
            case "webhook":
                text = found["body"]
            case _:
                text = " ".join(_texts(json.loads(found["body"])))
        return Message(
            number=number,
            kind=found["kind"],
            name=found["name"],
            title=found["title"],
            delivery_id=found["delivery_id"],
            commitment_id=found["commitment_id"],
            headers={key.lower(): value for key, value in (mail or found)["headers"]},
            text=text,
            links=tuple(mail["links"]) if mail else (),
        )

    async def refuse_once(self, kind: str, name: str) -> None:
        """Let one receiver answer 503 to its next message."""
        await self.behave(kind, name, fail_first=1, status=503)

    async def behave(self, kind: str, name: str, **behaviour: Any) -> None:
        """Let a receiver fail: `fail_first` so many messages (None: all) with this `status`."""
        response = await self.http.put(f"{self.inbox_url}/dev/inbox/behaviour/{kind}/{name}", json=behaviour)
        assert response.status_code < 300, response.text

    async def refusals(self, name: str) -> list[dict[str, Any]]:
        """What a receiver has turned away, oldest first."""
        response = await self.http.get(f"{self.inbox_url}/dev/inbox/refusals")
        return [refusal for refusal in reversed(response.json()) if refusal["name"] == name]


def _short(brief: Mapping[str, Any]) -> str:
    """A receiver's name as subscriptions here give it."""
    return str(brief["name"]).partition("@")[0]


def _texts(card: Any) -> Iterator[str]:
    """Every text in a card, wherever it stands."""
    if isinstance(card, dict):
        for key, value in card.items():
            if key in ("text", "value", "title") and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(card, list):
        for value in card:
            yield from _texts(value)
