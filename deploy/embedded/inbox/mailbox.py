"""The mailbox: SMTP without TLS, for the loopback interface; takes mail for everyone."""

import asyncio
import logging
import time
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.embedded.inbox import identities
from deploy.embedded.inbox.behaviours import Behaviours
from deploy.embedded.inbox.conversations import thread_of
from deploy.embedded.inbox.kept import Box
from deploy.embedded.inbox.verdicts import title_of

LARGEST = 10 << 20
"""Bytes of a mail."""


class Mailbox:
    """aiosmtpd's handler: one kept message for each recipient."""

    def __init__(self, box: Box, behaviours: Behaviours) -> None:
        self._box, self._behaviours = box, behaviours

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take every recipient but one that was told to fail."""
        if failure := await self._behaviours.meet("email", address):
            self._box.refuse("email", address, failure.status, "told to fail", None, time.time())
            # 503 is the default for HTTP; of SMTP's codes it is the one for a passing fault.
            return f"{451 if failure.status == 503 else failure.status} this mailbox was told to fail"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Keep the mail."""
        arrived_at = time.time()
        content = envelope.content
        body = content if isinstance(content, bytes) else (content or "").encode("utf-8", "surrogateescape")
        head = BytesHeaderParser().parsebytes(body.partition(b"\r\n\r\n")[0])
        references = f"{head.get('References', '')} {head.get('In-Reply-To', '')}"
        delivery, commitment = identities.of_mail(str(head.get("Message-ID", "")), references)
        if told := head.get("X-Pledgewire-Delivery"):
            delivery = str(told).strip()
        title = title_of(_decoded(head, "Subject")) or "(no subject)"
        headers = (str(head.get(name, "")) for name in ("References", "In-Reply-To", "Message-ID"))
        thread = thread_of(*headers)
        note = f"MAIL FROM <{envelope.mail_from or ''}>"
        number = 0
        for address in envelope.rcpt_tos:
            number = self._box.add(
                "email",
                address,
                arrived_at,
                body,
                (),
                title=title,
                delivery_id=delivery,
                commitment_id=commitment,
                thread=thread,
                note=note,
            )
        return f"250 OK kept as {number}"


def _decoded(head: Mail, name: str) -> str:
    raw = head.get(name, "")
    try:
        return str(make_header(decode_header(raw)))
    except (ValueError, LookupError):  # an encoding that nobody knows, or that it isn't in
        return str(raw)


async def listen(mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """Start to take mail."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would write every line of every mail
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.BaseProtocol:
        smtp: asyncio.BaseProtocol = SMTP(
            mailbox, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="inbox.localhost", ident="Pledgewire inbox"
        )
        return smtp

    return await loop.create_server(protocol, host, port, backlog=1024)
