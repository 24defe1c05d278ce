"""What has arrived: a bounded memory of messages, a longer one of arrivals, and of refusals the latest."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, get_args

Kind = Literal["email", "slack", "teams", "webhook"]
"""The channel, in the words of the contracts."""

KINDS: tuple[Kind, ...] = get_args(Kind)

LATEST_REFUSALS = 200

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """Something that was accepted."""

    number: int
    """1 for the first of this process, without gaps."""
    kind: Kind
    name: str
    """Who got it: the recipient's address, or the last part of the hook's path."""
    arrived_at: float
    """Seconds since 1970 by the machine's clock, when the last byte was here."""
    delivery_id: str | None
    commitment_id: str | None
    thread: str | None
    """Of a mail: the id that its conversation is known by."""
    title: str
    note: str
    """What the check of the platform has to say: a signature's verdict, a mail's envelope."""
    headers: Headers
    """Of the HTTP request; a mail carries its own in `body`."""
    body: bytes
    repeats: int | None
    """The number of the first message with this delivery id for this receiver, if there was one."""
    haystack: str
    """What the search looks at, case-folded."""


@dataclass(frozen=True, slots=True)
class RefusedArrival:
    """Something that was not accepted."""

    at: float
    kind: Kind
    name: str
    status: int
    reason: str
    delivery_id: str | None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are asked for; an empty field means all."""

    kind: str = ""
    name: str = ""
    words: str = ""

    def admits(self, message: Message) -> bool:
        """Whether it is one of those."""
        return (
            (not self.kind or message.kind == self.kind)
            and (not self.name or message.name == self.name)
            and (not self.words or self.words.casefold() in message.haystack)
        )


Arrival = tuple[str | None, Kind, str, float]


@dataclass
class Box:
    """The memory. Not thread-safe: one event loop writes and reads."""

    keep_messages: int = 20_000
    keep_bytes: int = 256 << 20
    keep_arrivals: int = 500_000
    dropped: int = 0
    """Messages that had to make room."""
    last: int = 0
    """The number of the latest message, whether kept or not."""
    version: int = 0
    """Grows with every change."""
    messages: deque[Message] = field(default_factory=deque)
    refusals: deque[RefusedArrival] = field(default_factory=lambda: deque(maxlen=LATEST_REFUSALS))
    refused: int = 0
    names: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    """How many kept messages each receiver has."""

    def __post_init__(self) -> None:
        self._arrivals: deque[Arrival] = deque()
        self._arrivals_before = 0
        self.arrivals_dropped = 0
        self._first: dict[Arrival | tuple[str, Kind, str], int] = {}
        self._bytes = 0
        self.closing = False
        self._changed = asyncio.Event()
        self._began = int(time.time())

    @property
    def tag(self) -> str:
        """Names this state of the memory; another process never uses the same."""
        return f"{self._began:x}-{self.version:x}"

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
        """Keep a message; its number."""
        self.last += 1
        first = self._first.setdefault((delivery_id, kind, name), self.last) if delivery_id else self.last
        haystack = f"{title}\n{name}\n{delivery_id}\n{commitment_id}".casefold()
        self.messages.append(
            Message(
                self.last,
                kind,
                name,
                arrived_at,
                delivery_id,
                commitment_id,
                thread,
                title,
                note,
                headers,
                body,
                first if first != self.last else None,
                haystack,
            )
        )
        self._arrivals.append((delivery_id, kind, name, arrived_at))
        self.names[kind, name] += 1
        self._bytes += len(body)
        while len(self.messages) > self.keep_messages or (self._bytes > self.keep_bytes and len(self.messages) > 1):
            self._drop_oldest()
        if len(self._arrivals) > self.keep_arrivals:
            gone = self._arrivals.popleft()
            self._arrivals_before += 1
            self.arrivals_dropped += 1
            self._first.pop(gone[:3], None)  # type: ignore[arg-type]  # an id of None is not in it, and that is fine
        self._change()
        return self.last

    def refuse(self, kind: Kind, name: str, status: int, reason: str, delivery_id: str | None, at: float) -> None:
        """Remember that something was turned away."""
        self.refusals.append(RefusedArrival(at, kind, name, status, reason, delivery_id))
        self.refused += 1
        self._change()

    def get(self, number: int) -> Message | None:
        """The message of this number, if it is still here."""
        if not self.messages or not self.messages[0].number <= number <= self.last:
            return None
        return self.messages[number - self.messages[0].number]

    def after(self, number: int, wanted: MessageFilter) -> Iterator[Message]:
        """Newer messages, oldest first."""
        if self.messages:
            # From the end: whoever asks for what is new wants the last few of thousands.
            for at in range(max(0, number + 1 - self.messages[0].number), len(self.messages)):
                if wanted.admits(self.messages[at]):
                    yield self.messages[at]

    def before(self, number: int | None, wanted: MessageFilter) -> Iterator[Message]:
        """Older messages than `number`, or all, newest first."""
        for message in reversed(self.messages):
            if (number is None or message.number < number) and wanted.admits(message):
                yield message

    def arrivals(self, after: int = 0) -> list[Arrival]:
        """Who got what and when, oldest first, of messages with a number above `after`."""
        return list(islice(self._arrivals, max(0, after - self._arrivals_before), None))

    def clear(self) -> int:
        """Forget everything but the numbering; how many messages there were."""
        number = len(self.messages)
        self.messages.clear()
        self.refusals.clear()
        self.names.clear()
        self._arrivals.clear()
        self._first.clear()
        self._bytes = self.dropped = self.refused = self.arrivals_dropped = 0
        self._arrivals_before = self.last
        self._change()
        return number

    def close(self) -> None:
        """Let nobody wait any more."""
        self.closing = True
        self._change()

    async def changed(self, version: int, seconds: float) -> None:
        """Return when the version is another one, at the latest after `seconds`."""
        if self.version == version:
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _change(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _drop_oldest(self) -> None:
        gone = self.messages.popleft()
        self._bytes -= len(gone.body)
        self.names[gone.kind, gone.name] -= 1
        if not self.names[gone.kind, gone.name]:
            del self.names[gone.kind, gone.name]
        self.dropped += 1
