"""The parts that wait for their end do not wait longer than those that look for it."""

import asyncio
import time
from email.utils import parsedate_to_datetime

import httpx2
import uvicorn
from fastapi import FastAPI
from faststream.kafka import KafkaBroker, TestKafkaBroker

from services.plumbing.quiet_loops import QuietFastStream, QuietServer

QUICK = 0.5
"""Seconds."""


async def test_the_server_keeps_the_date_of_its_answers_and_leaves_when_it_is_told() -> None:
    server = QuietServer(uvicorn.Config(FastAPI(), port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        await asyncio.sleep(1.5)
        date = parsedate_to_datetime((await http.get("/")).headers["date"])
        assert abs(date.timestamp() - time.time()) < 3
    started = time.monotonic()
    server.leave()
    await asyncio.wait_for(serving, 5)
    assert time.monotonic() - started < QUICK


async def test_the_application_ends_as_soon_as_it_is_told() -> None:
    broker = KafkaBroker(logger=None)
    app = QuietFastStream(broker, logger=None)
    async with TestKafkaBroker(broker):
        running = asyncio.create_task(app.run())
        await asyncio.sleep(0.3)
        started = time.monotonic()
        app.exit()
        await asyncio.wait_for(running, 5)
    assert time.monotonic() - started < QUICK
