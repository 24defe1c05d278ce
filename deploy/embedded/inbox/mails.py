"""A mail taken apart for reading: its texts, its attachments, its links, and what a careful sender would check."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from deploy.embedded.inbox.verdicts import shown

CLIPPED = 102 * 1024
"""Bytes of HTML from which Gmail cuts a mail."""

Grade = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class MailPart:
    """An attachment, or a picture that the HTML shows."""

    at: int
    """Its place among the mail's parts."""
    name: str
    content_type: str
    content_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MailLink:
    """An address in the mail, and the words that it stands behind."""

    url: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class MailCheck:
    """One line of the check."""

    grade: Grade
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail, read."""

    headers: tuple[tuple[str, str], ...]
    """Decoded, as they stand in the mail."""
    html: str | None
    text: str | None
    calendar: str | None
    parts: tuple[MailPart, ...]
    size: int

    def header(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read(body: bytes) -> ReceivedMail:
    """Take a mail apart; whatever is broken in it is left out or shown as it is."""
    mail = message_from_bytes(body, policy=policy.default)
    html = text = calendar = None
    parts: list[MailPart] = []
    for at, part in enumerate(mail.walk()):
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment"
        if kind == "text/html" and html is None and not attached:
            html = _text_of(part)
        elif kind == "text/plain" and text is None and not attached:
            text = _text_of(part)
        else:
            if kind == "text/calendar" and calendar is None:
                calendar = _text_of(part)
            parts.append(_part(at, kind, part))
    headers = tuple((shown(str(name)), shown(_header(mail, name, value))) for name, value in mail.raw_items())
    return ReceivedMail(headers, html, text, calendar, tuple(parts), len(body))


def _header(mail: EmailMessage, name: str, raw: object) -> str:
    try:
        return str(mail.policy.header_fetch_parse(name, raw))  # type: ignore[arg-type]  # raw_items is untyped
    except (ValueError, LookupError, TypeError, IndexError, AttributeError):  # the parser trips over some hostile ones
        return str(raw)


def _text_of(part: EmailMessage) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    return shown(text.replace("\r\n", "\n"))


def _part(at: int, kind: str, part: EmailMessage) -> MailPart:
    content = part.get_payload(decode=True)
    try:
        name = part.get_filename() or f"part-{at}"
    except (ValueError, LookupError, TypeError):
        name = f"part-{at}"
    identifier = str(part.get("Content-ID", "")).strip("<> \t")
    return MailPart(at, shown(name), kind, identifier, content if isinstance(content, bytes) else b"")


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[MailLink] = []
        self._url = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (url := dict(attrs).get("href")):
            self._url, self._words = url, []

    def handle_data(self, data: str) -> None:
        if self._url:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url:
            self.found.append(MailLink(shown(self._url), shown(" ".join("".join(self._words).split())), "HTML"))
            self._url = ""


_IN_TEXT = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:)\]»”]")
_IN_HEADER = re.compile(r"<((?:https?|mailto):[^>\s]+)>")


def links(received: ReceivedMail) -> list[MailLink]:
    """Every address of the mail once, in the order in which they stand."""
    found = [MailLink(url, "", "List-Unsubscribe") for url in _IN_HEADER.findall(received.header("List-Unsubscribe"))]
    if received.html:
        anchors = _Anchors()
        anchors.feed(received.html)
        found += anchors.found
    if received.text:
        found += [MailLink(url, "", "text") for url in _IN_TEXT.findall(received.text)]
    seen: dict[str, MailLink] = {}
    for link in found:
        seen.setdefault(link.url, link)
    return list(seen.values())


def checks(received: ReceivedMail) -> list[MailCheck]:
    """What receivers and their filters look at."""
    return [*_unsubscribing(received), *_form(received), *_addresses(links(received))]


def _unsubscribing(received: ReceivedMail) -> Iterator[MailCheck]:
    urls = _IN_HEADER.findall(received.header("List-Unsubscribe"))
    by_web = [url for url in urls if url.startswith("https://") or _is_local(url)]
    if not urls:
        yield MailCheck("bad", "List-Unsubscribe", "missing: readers can only mark the mail as spam")
        return
    yield MailCheck("good" if by_web else "bad", "List-Unsubscribe", ", ".join(urls))
    one_click = received.header("List-Unsubscribe-Post").strip() == "List-Unsubscribe=One-Click"
    yield MailCheck(
        "good" if one_click and by_web else "bad",
        "One-click unsubscribing (RFC 8058)",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click" if one_click else "List-Unsubscribe-Post is missing",
    )
    shown_links = [link.url for link in links(received) if link.where != "List-Unsubscribe"]
    visible = any("unsubscribe" in url.lower() or url in urls for url in shown_links)
    body = f"{received.html or ''}{received.text or ''}"
    visible = visible or any(url in body.replace("&amp;", "&") for url in by_web)
    yield MailCheck(
        "good" if visible else "warning",
        "Unsubscribe link in the body",
        "a reader finds it too" if visible else "none was recognised",
    )


def _form(received: ReceivedMail) -> Iterator[MailCheck]:
    both = received.html is not None and received.text is not None
    missing = "HTML" if received.html is None else "text"
    yield MailCheck("good" if both else "warning", "HTML and text", "both are there" if both else f"no {missing} part")
    for name in ("Message-ID", "Date", "From", "To", "Subject"):
        if not received.header(name):
            yield MailCheck("bad", name, "missing")
    automatic = received.header("Auto-Submitted")
    yield MailCheck(
        "good" if automatic else "warning",
        "Auto-Submitted",
        automatic or "missing: absence notes will come back",
    )
    size = len(received.html.encode()) if received.html else 0
    detail = f"{size / 1024:.1f} KB of HTML, {received.size / 1024:.1f} KB in all"
    yield MailCheck("good" if size < CLIPPED else "bad", "Size", f"{detail}; Gmail clips from 102 KB")
    subject = received.header("Subject")
    yield MailCheck("good" if len(subject) < 70 else "warning", "Length of the subject", f"{len(subject)} characters")


def _addresses(found: Sequence[MailLink]) -> Iterator[MailCheck]:
    for link in found:
        grade: Grade = "good"
        detail = link.where
        try:
            parts = urlsplit(link.url)
        except ValueError:
            yield MailCheck("bad", link.url, "not an address")
            continue
        if parts.scheme not in ("http", "https", "mailto"):
            grade, detail = "bad", f"{link.where}; {parts.scheme or 'no scheme'} is no address for a mail"
        elif parts.scheme == "http" and not _is_local(link.url):
            grade, detail = "warning", f"{link.where}; not encrypted"
        elif (claimed := _IN_TEXT.match(link.text)) and urlsplit(claimed[0]).hostname != parts.hostname:
            grade, detail = "bad", f"{link.where}; its words name another host"
        yield MailCheck(grade, link.url, f"{detail}: “{link.text}”" if link.text else detail)


def _is_local(url: str) -> bool:
    try:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False
