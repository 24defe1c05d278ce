"""Bounds on connections: what has not asked anything in time makes room for those who do.

uvicorn alone keeps a connection with half a header section, or one whose client drips a body that nobody waits for, for
ever. Streams and long answers are no concern of these bounds as long as their reader takes them.
"""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import uuid4

import h11
import uvicorn
from fastapi import FastAPI
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from services.plumbing.http.problems import PROBLEM_JSON, Problem, ProblemKind
from services.plumbing.logs import log
from services.plumbing.sentences import Sentence

NO_HTTP = ProblemKind(400, "no-http", Sentence("This is no request as HTTP/1.1 writes it"))
HEADERS_TOO_LARGE = ProblemKind(
    431, "headers-too-large", Sentence("Address and headers of a request are longer than we read")
)


@dataclass(frozen=True)
class ConnectionBounds:
    """How long a connection may take, in seconds, and how many there may be."""

    request_seconds: float = 10.0
    """From the connection, or the first byte of a further request, to the end of its header section."""
    idle_seconds: int = 5
    """Between two requests."""
    unread_seconds: float = 60.0
    """For a reader to take anything of an answer that has filled its buffers."""
    most: int = 2000
    """Open at once, as far as the process may have so many files open. One more, and whoever waits longest goes."""


_LOOSE_LINE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\r\n[ \t]")
"""A line that ends in something else than CR LF, or goes on in the next one."""
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:")
"""Headers that say where a body ends."""
_SPARE_FILES = 200
"""For the database, Kafka, our own requests and the files of the process."""


def open_files() -> int:
    """How many files the process may have open."""
    try:
        import resource
    except ImportError:  # there is no such limit on Windows
        return 1_000_000
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def most_connections(wanted: int, files: int) -> int:
    """So many connections as are wanted, or as the limit of open files leaves; at least 100."""
    return max(100, min(wanted, files - _SPARE_FILES))


class _StrictReceiveBuffer(ReceiveBuffer):
    """What came and was not read yet, in which the headers of a request have one reading."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """The next section of lines, or None while it is not whole; raises what h11 has answered with 400.

        h11 ends a line at a bare line feed, takes a folded line for a part of the last, and chunks before a length. A
        proxy may not, and then sees another end of the request (RFC 9112, 2.2, 5.2 and 6.3).
        """
        held = bytes(self)
        lines = super().maybe_extract_lines()
        section = held[: len(held) - len(self)]
        if lines and (_LOOSE_LINE.search(section) or len(set(_FRAMING.findall(section.lower()))) > 1):
            raise h11.LocalProtocolError("the headers have several readings")
        return lines


class BoundedConnection(H11Protocol):
    """One connection to a client."""

    def __init__(self, *arguments: Any, bounds: ConnectionBounds, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.conn._receive_buffer = _StrictReceiveBuffer()
        self._bounds = bounds
        self._most = most_connections(bounds.most, open_files())
        self._request_deadline: asyncio.TimerHandle | None = None
        self._unread_deadline: asyncio.TimerHandle | None = None
        self._waiting_since = self.loop.time()

    @property
    def _is_waiting(self) -> bool:
        """Whether there is no request in hand: nothing was asked yet, or all that was asked has been answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._expect_request()
        if len(self.connections) > self._most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that has not begun before begins now."""
        if self._is_waiting and self._request_deadline is None:
            self._expect_request()
        super().data_received(data)
        if not self._is_waiting:
            self._end(self._request_deadline)
            self._request_deadline = None

    def on_response_complete(self) -> None:
        """Wait for the next request, which may have come already."""
        super().on_response_complete()
        self._waiting_since = self.loop.time()

    def pause_writing(self) -> None:
        """The reader does not keep up."""
        super().pause_writing()
        if self._unread_deadline is None:
            self._unread_deadline = self.loop.call_later(self._bounds.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader has taken something."""
        super().resume_writing()
        self._end(self._unread_deadline)
        self._unread_deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._end(self._request_deadline)
        self._end(self._unread_deadline)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has a header section beyond the bounds, as all refusals are answered."""
        # uvicorn calls this where it has caught what h11 makes of the bytes, which says what status fits.
        found = getattr(sys.exception(), "error_status_hint", 400)
        kind = HEADERS_TOO_LARGE if found == HEADERS_TOO_LARGE.status else NO_HTTP
        body = json.dumps(Problem(kind).document()).encode()
        correlation = str(uuid4())
        log.info("a request can't be read", action="request_unreadable", reason=kind.name, correlation_id=correlation)
        headers = {"content-type": PROBLEM_JSON, "content-length": str(len(body)), "connection": "close"}
        headers["x-correlation-id"] = correlation
        for event in (
            h11.Response(status_code=kind.status, headers=list(headers.items()), reason=STATUS_PHRASES[kind.status]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _expect_request(self) -> None:
        self._end(self._request_deadline)
        self._request_deadline = self.loop.call_later(self._bounds.request_seconds, self._give_up)

    def _give_up(self) -> None:
        if self._is_waiting:
            self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has waited longest; this one where all the others are at work."""
        others = [cast(BoundedConnection, other) for other in self.connections if other is not self]
        waiting = [other for other in others if other._is_waiting]
        longest = min(waiting, key=lambda other: other._waiting_since, default=self)
        longest.transport.abort()

    @staticmethod
    def _end(timer: asyncio.TimerHandle | None) -> None:
        if timer:
            timer.cancel()


def server_config(app: FastAPI, host: str, port: int, bounds: ConnectionBounds | None = None) -> uvicorn.Config:
    """How a service's interface is served."""
    bounds = bounds or ConnectionBounds()
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast(type[asyncio.Protocol], partial(BoundedConnection, bounds=bounds)),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=bounds.idle_seconds,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
