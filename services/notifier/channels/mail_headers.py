"""Headers of mails: the one place that writes them, so that no text can become a header, a line or a recipient.

The library's `EmailMessage` reads what it is given: it decodes encoded words, line ends among them, and writes them
out. Here nothing is read. Prose is plain ASCII or encoded words, an address is an address, and what was written is
looked at once more as bytes. Sources: RFC 5322 (2.1.1: lines of 998 octets), RFC 2047 (encoded words), RFC 6532 (UTF-8
in headers, for addresses beyond ASCII only).
"""

import re
from collections.abc import Sequence
from email.header import Header
from email.message import EmailMessage

from services.i18n.text import plain
from services.notifier.channels.mail_addresses import NamedAddress

LONGEST_LINE = 998
"""Octets of a line, without its end."""
_USUAL_LINE = 78
END = "\r\n"
_SAFE_PROSE = re.compile(r"[!-~]+(?: [!-~]+)*")
_SAFE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_FIELD = re.compile(rb"([!-9;-~]+): ")


class BrokenMail(ValueError):
    """What was written is not what was to be written; nothing of it is quoted."""


def prose(name: str, text: str) -> str:
    """A header that people read, in encoded words where it is not plain ASCII or could be taken for one."""
    return f"{name}: {_words(name, plain(text), _SAFE_PROSE)}"


def mailbox(name: str, of: NamedAddress) -> str:
    """A header that holds one mailbox."""
    if not of.name:
        return f"{name}: {of.address}"
    named = f"{name}: {_words(name, plain(of.name), _SAFE_NAME)}"
    fits = len(named.rpartition("\r\n")[2]) + len(of.address) + 3 <= _USUAL_LINE
    return f"{named}{' ' if fits else f'{END} '}<{of.address}>"


def verbatim(name: str, value: str) -> str:
    """A header for machines, in one line: a program would find no link to unsubscribe with in encoded words."""
    if not value.isascii() or not value.isprintable():
        raise BrokenMail(f"{name} is not printable ASCII")
    return f"{name}: {value}"


def written_mail(headers: Sequence[str], body: EmailMessage, *, recipient: str) -> bytes:
    """The whole mail: the headers, those of the body, and the body; raises `BrokenMail`.

    `recipient` is the address in the header To, the only one there is.
    """
    mail = "".join(f"{header}\r\n" for header in headers).encode() + body.as_bytes()
    head, _, rest = mail.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    fields = [line for line in lines if not line.startswith((b" ", b"\t"))]
    found = [field[1].decode() for line in fields if (field := _FIELD.match(line))]
    intended = [header.partition(":")[0] for header in headers] + list(body.keys())
    if found != intended or len(fields) != len(found) or len({name.lower() for name in found}) < len(found):
        raise BrokenMail("other headers than were to be written")
    if f"To: {recipient}".encode() not in fields:
        raise BrokenMail("another recipient than was to be written")
    bare = mail.replace(b"\r\n", b"")
    if not rest or b"\r" in bare or b"\n" in bare or b"\0" in bare:
        raise BrokenMail("a line ends where none should")
    if max(map(len, mail.split(b"\r\n"))) > LONGEST_LINE:
        raise BrokenMail(f"a line of more than {LONGEST_LINE} octets")
    return mail


def _words(name: str, text: str, safe: "re.Pattern[str]") -> str:
    if "=?" not in text and safe.fullmatch(text) and len(name) + 2 + len(text) <= _USUAL_LINE:
        return text
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")
