"""Streams of the live feed that end because their reader has left."""

import asyncio

import httpx2

from tests.portal.conftest import ServedPortal


async def test_a_reader_who_leaves_in_the_middle_counts_no_longer(portal: ServedPortal) -> None:
    """
    Else, after a thousand of them, nobody would be let in any more.
    """
    for _ in range(300):
        portal.push("status-changed.v1.canada-seul")  # more than is sent before anybody reads
    async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
        for _ in range(3):
            async with http.stream("GET", f"{portal.url}/events") as answer:
                assert await anext(answer.aiter_lines()) == ": the wire is open"
                assert portal.feed.readers >= 1
    async with asyncio.timeout(30):
        while portal.feed.readers:  # noqa: ASYNC110  in the server's thread
            await asyncio.sleep(0.01)
