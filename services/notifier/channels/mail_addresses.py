"""Mail addresses: the one place that says which can be mailed to or from, and how they are written.

Sources: RFC 5321, 2.3.5 (domains as A-labels), 4.5.3.1.1 (64 octets before the @); RFC 5890; RFC 6531 (SMTPUTF8);
RFC 2047, 5 (3) (no encoded words inside an address).
"""

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from contracts.text import fit
from services.notifier.channels.special_use_names import is_never_public
from services.notifier.channels.ssrf_guard import UndeliverableAddress
from services.plumbing.sentences import Sentence

LONGEST_LOCAL_PART = 64
"""Octets before the @."""

_LONGEST_NAME = 100
_MAILBOX = re.compile(r'(?:"(?P<quoted>[^"\\<>]*)"|(?P<name>[^"\\<>]*?))\s*<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s"]+)')


@dataclass(frozen=True)
class NamedAddress:
    """Whom mail comes from: a name, which may be empty, and an address as it stands on the wire."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


def mail_address(address: str, *, smtputf8: bool) -> str:
    """An address as it is kept and sent to: its domain as A-labels, ASCII before the @ unless `smtputf8`.

    A local part that needs quotation marks is refused, one that reads as an encoded word, and a domain of special use.
    Raises
    `UndeliverableAddress`, which does not quote the address. Only a mail server can say whether a mailbox is behind it.
    """
    try:
        found = validate_email(
            address, check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=smtputf8
        )
    except EmailNotValidError:
        if not smtputf8 and not address.rpartition("@")[0].isascii():
            raise UndeliverableAddress(
                Sentence("the mail server takes no letters beyond ASCII before the @ (SMTPUTF8)")
            ) from None
        raise UndeliverableAddress(Sentence("this is not an e-mail address")) from None
    if len(found.local_part.encode()) > LONGEST_LOCAL_PART or "=?" in found.local_part:
        raise UndeliverableAddress(Sentence("this is not an e-mail address"))
    if is_never_public(found.ascii_domain):
        raise UndeliverableAddress(Sentence("no public mail server has such a name (RFC 6761)"))
    return f"{found.local_part}@{found.ascii_domain}"


def read_mailbox(written: str, *, smtputf8: bool) -> NamedAddress:
    """Read `Name <address>`, `"Name" <address>` or an address; raises ValueError that does not quote it."""
    found = _MAILBOX.fullmatch(written.strip())
    if found is None:
        raise ValueError("write Name <address> or an address")
    name = found["quoted"] or found["name"] or ""
    if name:
        name = fit(name, _LONGEST_NAME)
    address = found["address"] or found["bare"]
    local, _, domain = address.rpartition("@")
    if domain != "localhost":
        return NamedAddress(name, mail_address(address, smtputf8=smtputf8))
    # A server on this machine: mail may come from there, and no subscription may lead there.
    elsewhere = mail_address(f"{local}@elsewhere.example", smtputf8=smtputf8)
    return NamedAddress(name, f"{elsewhere.rpartition('@')[0]}@localhost")
