"""`python -m deploy.embedded.inbox`: listen until SIGTERM or SIGINT."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable

from deploy.embedded.inbox.receiver import Inbox


async def _run() -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    async with Inbox() as inbox:
        told = {"event": "listening", "action": "started", "http": inbox.http_port, "smtp": inbox.smtp_port}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await ending.wait()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:  # no uvloop on Windows
        return asyncio.new_event_loop
    return new_event_loop


def main() -> None:
    """Run; exit status 1 and one line when a port is taken."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run())
    except OSError as error:
        sys.stderr.write(f"the inbox can't listen: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
