"""E-mail: a small pool of connections to one mail server, each used for many mails.

What a server says about a recipient (RCPT TO) is kept apart from what it says about the sender or the mail; an answer
missing after the mail's last byte is unknown, never a failure.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, Self

import aiosmtplib
from aiosmtplib import SMTPConnectError, SMTPException, SMTPResponseException, SMTPServerDisconnected
from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.notifier.channels.mail_addresses import NamedAddress, read_mailbox
from services.notifier.channels.outcomes import AttemptOutcome, Deferred, FailureReason, Refused, Unknown
from services.plumbing.certificates import WatchedCertificate, of_mail_server
from services.plumbing.logs import log

_HOST = r"^[A-Za-z0-9_.:-]*[A-Za-z0-9]$"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SmtpSettings(BaseSettings):
    """Where the mail server is; without a host there is no e-mail, and no subscription to it.

    What could never send a mail is refused when it is read.
    """

    model_config = SettingsConfigDict(env_prefix="SMTP_")

    host: str | None = Field(default=None, pattern=_HOST)
    """A name or an address, without a scheme or a port."""
    port: int = Field(default=587, ge=1, le=65535)
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: str = Field(default="starttls", pattern="^(starttls|tls|none)$")
    """`starttls` insists on it: a server without it gets no mail. `none` is for a server on this machine."""
    smtputf8: bool = False
    """Whether the server takes addresses with letters beyond ASCII before the @ (RFC 6531)."""
    sender: str = Field(default="Pledgewire <pledgewire@localhost>", validation_alias=AliasChoices("SMTP_FROM"))
    """The From of every mail; its address is also the envelope's."""
    connections: int = Field(default=4, ge=1, le=64)
    mails_per_connection: int = Field(default=100, ge=1)
    idle_seconds: float = Field(default=30.0, gt=0)
    """A connection that lay longer is asked (NOOP) before it is used."""
    deadline: float = Field(default=30.0, gt=0)
    """Seconds for one mail, from connecting to the server's last word."""
    ca_file: str | None = None

    @field_validator("sender")
    @classmethod
    def _can_be_from(cls, written: str, info: ValidationInfo) -> str:
        read_mailbox(written, smtputf8=bool(info.data.get("smtputf8")))
        return written

    @field_validator("ca_file")
    @classmethod
    def _can_be_read(cls, path: str | None) -> str | None:
        try:
            ssl.create_default_context(cafile=path or None)
        except OSError as error:  # an SSLError is one: no certificate in it
            raise ValueError(f"no certificates can be read from it: {error.strerror or 'none are there'}") from None
        return path or None

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD are given both or not at all")
        if self.username and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("with SMTP_TLS=none the password would go over the network as it is")
        return self

    def certificates(self) -> tuple[WatchedCertificate, ...]:
        """The mail server's; none where there is no server, or no TLS."""
        ends = of_mail_server(self.host, self.port, self.tls) if self.host else None
        return (WatchedCertificate("mail", ends),) if ends else ()

    @property
    def mailbox(self) -> NamedAddress:
        """The From of every mail, read."""
        return read_mailbox(self.sender, smtputf8=self.smtputf8)


class ReadReply(Protocol):
    """What a server's reply means; `recipient` when it answered RCPT TO, so the reply is about the address."""

    def __call__(self, code: int, text: str = "", *, recipient: bool = False) -> AttemptOutcome:
        """The outcome of the attempt."""
        ...


@dataclass(slots=True, eq=False)
class _SmtpConnection:
    """One connection, and how much it was used."""

    client: aiosmtplib.SMTP
    mails: int = 0
    used: float = 0.0


class SmtpPool:
    """Sends mails, as many at once as it has connections."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._free: list[_SmtpConnection] = []
        self._places = asyncio.Semaphore(settings.connections)

    async def send(self, mail: bytes, sender: str, recipient: str, read_reply: ReadReply) -> AttemptOutcome:
        """Send one mail, as it goes over the wire; `sender` and `recipient` are bare addresses of the envelope."""
        if not self._settings.host:
            return Refused(FailureReason.FAULT, retryable=True)
        async with self._places:
            until = asyncio.get_running_loop().time() + self._settings.deadline
            try:
                async with asyncio.timeout_at(until):
                    connection = await self._connection()
            except (SMTPException, OSError, ValueError) as error:
                return _not_connected(error, read_reply)
            async with self._returned(connection):
                return await _converse(connection.client, mail, sender, recipient, until, read_reply)

    async def close(self) -> None:
        """Close all idle connections properly."""
        connections, self._free = self._free, []
        for connection in connections:
            await _quit(connection)

    async def _connection(self) -> _SmtpConnection:
        while self._free:
            connection = self._free.pop()
            if connection.mails >= self._settings.mails_per_connection:
                await _quit(connection)
            elif time.monotonic() - connection.used < self._settings.idle_seconds or await _is_alive(connection):
                return connection
        return _SmtpConnection(await logged_in(self._settings))

    @contextlib.asynccontextmanager
    async def _returned(self, connection: _SmtpConnection) -> AsyncIterator[None]:
        """Give the connection back if the conversation ended where the next may begin."""
        clean = False
        try:
            yield
            clean = True
        finally:
            if clean and connection.client.is_connected:
                connection.mails += 1
                connection.used = time.monotonic()
                self._free.append(connection)
            else:
                connection.client.close()  # cancelled half-way: the next mail would talk into this one


async def _converse(
    client: aiosmtplib.SMTP, mail: bytes, sender: str, recipient: str, until: float, read_reply: ReadReply
) -> AttemptOutcome:
    step = "mail"
    try:
        async with asyncio.timeout_at(until):
            encoding = "ascii" if sender.isascii() and recipient.isascii() else "utf-8"
            options = [f"SIZE={len(mail)}"] if client.supports_extension("size") else []
            if encoding == "utf-8":
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
                if not client.supports_extension("smtputf8"):
                    # It was said to: the operator has to mend it, so the mail waits.
                    return Refused(FailureReason.FAULT, retryable=True)
                options += ["SMTPUTF8", "BODY=8BITMIME"]
            await client.mail(sender, options=options, encoding=encoding)
            step = "rcpt"
            await client.rcpt(recipient, encoding=encoding)
            step = "data"
            answer = await client.data(mail)
            return read_reply(answer.code, answer.message)
    except SMTPResponseException as error:
        if client.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await client.rset()
        return read_reply(error.code, error.message, recipient=step == "rcpt")
    except TimeoutError:  # SMTPTimeoutError is one
        client.close()
        return Unknown(FailureReason.TIMEOUT) if step == "data" else Refused(FailureReason.TIMEOUT, retryable=True)
    except (SMTPServerDisconnected, SMTPException, OSError):
        client.close()
        return Unknown(FailureReason.RESET) if step == "data" else Refused(FailureReason.RESET, retryable=True)


def _not_connected(error: BaseException, read_reply: ReadReply) -> AttemptOutcome:
    # The texts may quote the user name: only their kind is logged.
    log.warning("the mail server can't be used", action="smtp_unreachable", error=type(error).__name__)
    if isinstance(error, SMTPResponseException):
        told = read_reply(error.code, error.message)
        if isinstance(told, Deferred):
            return told
    if isinstance(error, SMTPResponseException) and not isinstance(error, SMTPConnectError):
        # Refused log-in or greeting: the operator has to mend it, so mails wait however final the code.
        return Refused(FailureReason.FAULT, error.code, retryable=True)
    if isinstance(error, TimeoutError):
        return Refused(FailureReason.TIMEOUT, retryable=True)
    if isinstance(error, ssl.SSLError):
        return Refused(FailureReason.TLS, retryable=True)
    return Refused(FailureReason.CONNECTION, retryable=True)


async def logged_in(settings: SmtpSettings) -> aiosmtplib.SMTP:
    """A connection to the mail server, encrypted and logged in as the settings say; raises what aiosmtplib does."""
    context = None if settings.tls == "none" else ssl.create_default_context(cafile=settings.ca_file)
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password.get_secret_value() or None,
        use_tls=settings.tls == "tls",
        start_tls=settings.tls == "starttls",
        tls_context=context,
        timeout=settings.deadline,
    )
    await client.connect()
    return client


async def _is_alive(connection: _SmtpConnection) -> bool:
    try:
        await connection.client.noop(timeout=5)
    except (SMTPException, OSError):
        connection.client.close()
        return False
    return True


async def _quit(connection: _SmtpConnection) -> None:
    with contextlib.suppress(SMTPException, OSError):
        await connection.client.quit(timeout=5)
    connection.client.close()
