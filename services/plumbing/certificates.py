"""When certificates end: those that a process shows, and those that it is shown by whom it talks to.

An expired certificate is what stops everything at once, on a day that was known for a year.
"""

import asyncio
import contextlib
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from prometheus_client import Gauge

from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.logs import log
from services.plumbing.retry import pause_until

DAYS_LEFT = Gauge(
    "pledgewire_certificate_days",
    "Days until a certificate ends, negative once it has; NaN while it can't be looked at",
    ["of"],
)
READ_CERTIFICATES_EVERY = 600.0
"""Seconds between two looks; the first is at the start."""
_LONGEST_LOOK = 10.0
_POSTGRES_ASKS_FOR_TLS = bytes.fromhex("00000008 04d2162f")
"""SSLRequest of PostgreSQL's protocol (55.7); the server answers `S` where it speaks TLS."""

ReadEnds = Callable[[], Awaitable[datetime]]
"""When a certificate ends; raises OSError or ValueError where it can't be looked at."""
Ask = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is said in the clear before TLS begins; raises ValueError where the other side has none."""


class WatchedCertificate:
    """One certificate; `of` says whose it is, out of a fixed list: a label of the metric."""

    def __init__(self, of: str, ends: ReadEnds) -> None:
        self.of = of
        self._ends = ends
        DAYS_LEFT.labels(of).set(math.nan)

    async def read(self) -> None:
        """Look at it once."""
        try:
            async with asyncio.timeout(_LONGEST_LOOK):
                ends = await self._ends()
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            log.info("a certificate can't be looked at", action="certificate_unknown", of=self.of, error=repr(error))
            DAYS_LEFT.labels(self.of).set(math.nan)
            return
        DAYS_LEFT.labels(self.of).set((ends - MACHINE_CLOCK.now()) / timedelta(days=1))


async def watch_certificates(watched: Sequence[WatchedCertificate], stopping: asyncio.Event) -> None:
    """Look at all of them at once, and again every ten minutes, until told to stop."""
    while not stopping.is_set():
        await asyncio.gather(*(one.read() for one in watched))
        await pause_until(READ_CERTIFICATES_EVERY, stopping)


def of_file(path: str) -> ReadEnds:
    """The end of the first certificate of a file in PEM."""

    async def ends() -> datetime:
        content = await asyncio.to_thread(Path(path).read_bytes)
        return x509.load_pem_x509_certificates(content)[0].not_valid_after_utc

    return ends


def of_servers(servers: str) -> ReadEnds:
    """The end that comes first of the certificates of these servers (`host:port`, by commas), which begin with TLS."""

    async def ends() -> datetime:
        return min([await _shown(*_host_and_port(one)) for one in servers.split(",")])

    return ends


def of_url(url: str) -> ReadEnds | None:
    """The end of the certificate at this address; None where it has none, being no https."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or 443
    return (lambda: _shown(host, port)) if parts.scheme == "https" and host else None


def of_mail_server(host: str, port: int, tls: str) -> ReadEnds | None:
    """The end of a mail server's certificate; `tls` is `tls`, `starttls`, or `none`, which gives None."""
    match tls:
        case "tls":
            return lambda: _shown(host, port)
        case "starttls":
            return lambda: _shown(host, port, _ask_mail_server)
    return None


def of_database(url: str) -> ReadEnds | None:
    """The end of PostgreSQL's certificate; None for one that is reached by a socket, or without TLS."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or 5432
    if not host or "sslmode=disable" in parts.query or host in ("localhost", "127.0.0.1", "::1"):
        return None
    return lambda: _shown(host, port, _ask_postgres)


def _host_and_port(server: str) -> tuple[str, int]:
    parts = urlsplit(f"//{server.strip()}")
    return str(parts.hostname), parts.port or 9092


async def _ask_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_POSTGRES_ASKS_FOR_TLS)
    if await reader.readexactly(1) != b"S":
        raise ValueError("it speaks no TLS")


async def _ask_mail_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for line in (b"", b"EHLO pledgewire\r\n", b"STARTTLS\r\n"):
        writer.write(line)
        answer = await reader.readline()
        while answer[3:4] == b"-":
            answer = await reader.readline()
        if not answer.startswith(b"2"):
            raise ValueError("it speaks no STARTTLS")


async def _shown(host: str, port: int, ask: Ask | None = None) -> datetime:
    """When the certificate ends that a server shows; nothing is sent to it, so it is looked at and not trusted."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # one that has ended is to be seen, too
    async with _connected(host, port, None if ask else context) as (reader, writer):
        if ask:
            await ask(reader, writer)
            await writer.start_tls(context, server_hostname=host)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC)


@contextlib.asynccontextmanager
async def _connected(
    host: str, port: int, context: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
