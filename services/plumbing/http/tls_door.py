"""HTTPS on a port of its own, beside plain HTTP on the loopback interface; a renewed certificate is shown at once."""

import asyncio
import ssl
from pathlib import Path

import uvicorn

from services.plumbing.file_stamps import stamps
from services.plumbing.logs import log

LOOK_EVERY = 10.0
"""Seconds between two looks at the certificate's files."""


class TlsDoor:
    """A server's certificate, read anew when its files change; connections that are open stay as they are."""

    def __init__(self, config: uvicorn.Config, certificate: Path, key: Path) -> None:
        """Let a server's configuration show this certificate; raises OSError where it can't be shown."""
        self._files = (certificate, key)
        config.ssl_certfile, config.ssl_keyfile = certificate, key
        config.load()
        context = config.ssl
        if context is None:
            raise RuntimeError("uvicorn made no TLS of the certificate")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context = context
        self._shown = stamps(*self._files)

    def look(self) -> bool:
        """Show what the files hold now, if that has changed; whether it is shown. One that is no good is told."""
        found = stamps(*self._files)
        if found == self._shown:
            return False
        self._shown = found
        certificate, key = self._files
        try:
            # On a context of its own first: a certificate without its key would leave the one in use half changed.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
            self._context.load_cert_chain(certificate, key)
        except (OSError, ValueError) as error:
            log.error("the new certificate can't be shown", action="certificate_refused", reason=type(error).__name__)
            return False
        log.info("the new certificate is shown", action="certificate_renewed")
        return True

    async def follow(self, stopping: asyncio.Event) -> None:
        """Look again and again until the event is set."""
        while not stopping.is_set():
            self.look()
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_EVERY)
            except TimeoutError:
                continue
