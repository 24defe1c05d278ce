"""From the topic to the receivers: whatever a later release writes is told, and nothing is put aside or fails."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contracts.causes import Cause
from contracts.filters import Filters
from services.notifier.channels import CHANNELS
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery import intake
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.events.event_types import EVENT_NAMES, EVENT_TYPES
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from tests.contracts.golden_records import PATHS, Wire, golden, structured, wire
from tests.notifier.delivery.dispatching import dispatch_at
from tests.notifier.delivery.test_rendering_faults import MailServer, ends
from tests.notifier.rendering.material import write_as_a_later_release
from tests.notifier.scenes import NO_CAPACITY, NOW, states, subscribe

TOLD = [path for path in PATHS if golden(path)["topic"] in EVENT_TYPES]


def later(path: Path) -> Wire:
    """A golden record as a later release might have written it."""
    value = golden(path)["value"]
    write_as_a_later_release(value)
    return replace(wire(path), value=json.dumps(value, ensure_ascii=False).encode())


def read(record: Wire) -> IncomingEvent:
    return intake.read(
        SimpleNamespace(topic=record.topic.name, key=record.key, headers=record.headers, value=record.value)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_what_a_system_is_handed_on_is_what_came_in_either_mode(path: Path) -> None:
    record = later(path)

    assert read(record).event.value == record.value
    in_structured_mode = read(structured(record))
    assert json.loads(in_structured_mode.event.value) == json.loads(record.value or b"")
    assert in_structured_mode.traits == read(record).traits


class Posts:
    """A receiver of posts that takes all of them."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[Any]] = {}
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(re.findall(r"(?i)content-length: *(\d+)", head)[0])
            body = json.loads(await reader.readexactly(length))
            self.bodies.setdefault(head.split()[1].strip("/"), []).append(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()


@pytest.fixture
async def posts() -> AsyncIterator[Posts]:
    made = Posts()
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.mark.parametrize("together", [False, True], ids=["each-by-itself", "in-one-message"])
async def test_every_event_of_a_later_release_is_delivered_on_every_channel(
    database: Database, tmp_path: Path, posts: Posts, together: bool
) -> None:
    events = [read(later(path)) for path in TOLD]
    everybodys = [
        replace(event, cause=Cause(kind="import", id=UUID(int=1) if together else new_id(), count=None))
        for event in events
        if event.traits.audience is None and event.not_after is None
    ]
    for channel in CHANNELS:
        address = "desk@example.org" if channel == "email" else f"http://127.0.0.1:{posts.port}/{channel}"
        await subscribe(database, address, channel=channel, filters=Filters(events=frozenset(EVENT_NAMES)))
    clock, mail, stopping = SharedClock(tmp_path / "clock"), MailServer(), asyncio.Event()
    clock.set(NOW)
    http = HttpClient(HttpClientSettings(deadline=20), AllowList.of(["127.0.0.1"]))
    running = asyncio.create_task(dispatch_at(database, clock, http, mail=mail).run(stopping))  # type: ignore[arg-type]
    await FanOut(database, lease_seconds=60).apply(everybodys, NOW, NO_CAPACITY)
    clock.set(NOW + timedelta(hours=1))
    owed = len(everybodys) * len(CHANNELS)
    await ends(database, owed)
    stopping.set()
    await running
    await http.close()

    assert len({event.event.topic for event in everybodys}) >= 4
    assert await states(database) == {"delivered": owed}
    messages = 1 if together else len(everybodys)
    assert len(mail.recipients) == len(posts.bodies["slack"]) == len(posts.bodies["teams"]) == messages
    handed_on = sorted(json.dumps(post["data"], sort_keys=True) for post in posts.bodies["webhook"])
    assert handed_on == sorted(json.dumps(json.loads(event.event.value), sort_keys=True) for event in everybodys)
