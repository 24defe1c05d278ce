"""Until when certificates hold, as those see it who are shown them."""

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from prometheus_client import REGISTRY

from services.plumbing.certificates import (
    ReadEnds,
    WatchedCertificate,
    of_database,
    of_file,
    of_mail_server,
    of_servers,
    of_url,
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def days(of: str) -> float:
    return REGISTRY.get_sample_value("pledgewire_certificate_days", {"of": of}) or 0.0


def certificate(left: timedelta) -> trustme.LeafCert:
    ends = datetime.now(UTC) + left
    return trustme.CA().issue_cert("localhost", not_before=ends - timedelta(days=9), not_after=ends)


@asynccontextmanager
async def listening(left: timedelta, before: Serve | None = None) -> AsyncIterator[int]:
    """A server whose certificate ends after so much time; `before` is what is said in the clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate(left).configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if before:
            await before(reader, writer)
            await writer.start_tls(context)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=None if before else context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def mail_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220-here\r\n220 ready\r\n")
    assert (await reader.readline()).startswith(b"EHLO")
    writer.write(b"250-here\r\n250-SIZE\r\n250 STARTTLS\r\n")
    assert await reader.readline() == b"STARTTLS\r\n"
    writer.write(b"220 go on\r\n")


async def postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert await reader.readexactly(8) == bytes.fromhex("0000000804d2162f")
    writer.write(b"S")


@pytest.mark.parametrize("left", [20, 1, -2])
async def test_days_are_told_and_negative_ones_of_what_has_ended(left: int) -> None:
    async with listening(timedelta(days=left)) as port:
        await WatchedCertificate("kafka", of_servers(f"127.0.0.1:{port}")).read()

    assert days("kafka") == pytest.approx(left, abs=0.1)


async def test_of_several_brokers_the_certificate_counts_that_ends_first() -> None:
    async with listening(timedelta(days=9)) as first, listening(timedelta(days=4)) as second:
        await WatchedCertificate("kafka", of_servers(f"127.0.0.1:{first}, 127.0.0.1:{second}")).read()

    assert days("kafka") == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("before", "of"),
    [
        (mail_server, lambda port: of_mail_server("127.0.0.1", port, "starttls")),
        (postgres, lambda port: of_database(f"postgresql://a:b@127.0.0.2:{port}/x")),
        (None, lambda port: of_mail_server("127.0.0.1", port, "tls")),
        (None, lambda port: of_url(f"https://127.0.0.1:{port}/portal")),
    ],
)
async def test_whoever_begins_in_the_clear_is_asked_for_tls_first(
    before: Serve | None, of: Callable[[int], ReadEnds | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(timedelta(days=6), before) as port:
        ends = of(port)
        assert ends
        if before is postgres:  # its address is one that is not this machine's by its looks
            monkeypatch.setattr(asyncio, "open_connection", lambda _, p, ssl=None: OPEN("127.0.0.1", p, ssl=ssl))
        await WatchedCertificate("mail", ends).read()

    assert days("mail") == pytest.approx(6, abs=0.1)


OPEN = asyncio.open_connection


async def test_a_file_is_read(tmp_path: Path) -> None:
    certificate(timedelta(days=3)).cert_chain_pems[0].write_to_path(tmp_path / "own.pem")

    await WatchedCertificate("kafka-client", of_file(str(tmp_path / "own.pem"))).read()

    assert days("kafka-client") == pytest.approx(3, abs=0.1)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 ready\r\n500 what?\r\n")


@pytest.mark.parametrize("before", [silent, no_tls])
async def test_what_can_not_be_looked_at_is_unknown_and_no_fault(before: Serve) -> None:
    async with listening(timedelta(days=6), before) as port:
        ends = of_mail_server("127.0.0.1", port, "starttls")
        assert ends
        await WatchedCertificate("mail", ends).read()
        assert math.isnan(days("mail"))
    await WatchedCertificate("mail", of_servers(f"127.0.0.1:{port}")).read()
    assert math.isnan(days("mail"))


def test_what_has_no_certificate_is_not_watched() -> None:
    assert of_url("http://portal.example") is None
    assert of_mail_server("mail.example", 25, "none") is None
    assert of_database("postgresql://a:b@/x?host=/run/postgresql") is None
    assert of_database("postgresql://a:b@db.example/x?sslmode=disable") is None
