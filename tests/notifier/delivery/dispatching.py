"""A dispatch as a process of its own, for tests that kill it: `python -m tests.notifier.delivery.dispatching CLOCK`."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from services.notifier.channels import CHANNELS
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.dispatch import Dispatch, DispatchSettings
from services.notifier.delivery.messages import MessageRenderer
from services.notifier.delivery.senders import senders_for
from services.notifier.rendering.page_links import PageLinks
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.smtp import SmtpPool, SmtpSettings
from services.plumbing.clock import Clock, SharedClock
from services.plumbing.database import Database
from services.plumbing.logs import configure_logs
from tests.notifier.scenes import LINK_SETTINGS, TOKENS, database_at

LEASE_SECONDS = 2.0
DEADLINE = 0.8


def links() -> UnsubscribeLinks:
    return UnsubscribeLinks(LINK_SETTINGS)


SETTINGS = DispatchSettings(lease_seconds=LEASE_SECONDS, sweep_seconds=0.5, hold_seconds=1.0, hold=256)


def dispatch_at(
    database: Database,
    clock: Clock,
    http: HttpClient,
    mail: SmtpPool | None = None,
    settings: DispatchSettings = SETTINGS,
    may_send: Callable[[], bool] = lambda: True,
) -> Dispatch:
    """A dispatch as the wiring builds it, but with a lease that a test can wait for."""
    renderer = MessageRenderer(PageLinks("https://pledgewire.example", TOKENS.token), links())
    pool = mail or SmtpPool(SmtpSettings())
    sender = NamedAddress("Pledgewire", "notices@pledgewire.example")
    return Dispatch(
        database,
        senders_for(CHANNELS, http, pool, renderer, clock, mail_sender=sender, allowed=AllowList()),
        clock,
        settings,
        may_send=may_send,
    )


async def main(clock_file: Path) -> None:
    configure_logs("dispatching")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    database = database_at(os.environ["DATABASE_URL"])
    await database.open()
    http = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList.of(["127.0.0.1"]))
    await dispatch_at(database, SharedClock(clock_file), http).run(stopping)
    await http.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
