"""E-mail: a text part and an HTML part with the same facts in the same order, and the headers that keep machines calm.

The HTML is MJML (for tables that old mail programs understand) and asks nobody for anything: no fonts, no images,
no tracking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from html import escape as escape_html
from importlib import resources
from uuid import UUID

from jinja2 import Environment, StrictUndefined
from mjml import mjml2html

from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders as slots
from services.notifier.rendering.message import News


class _OnOneLine(UnstructuredHeader):
    """A header of addresses for machines. The library would encode what is longer than 78 characters as if it were
    prose, and a mail program then finds no link to unsubscribe with and no thread; 998 characters are lawful
    (RFC 5322, 2.1.1)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # `name` is its base's, added later


_headers = HeaderRegistry()
for _name in ("List-Unsubscribe", "In-Reply-To", "References"):
    _headers.map_to_type(_name, _OnOneLine)  # type: ignore[arg-type]  # typeshed asks for the mixed class; the registry mixes

# 7bit, so that no relay on the way has a reason to rewrite the body, which would break its signature.
POLICY = SMTP.clone(cte_type="7bit", header_factory=_headers)

_html_environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_environment = _html_environment.overlay(autoescape=False)
_environment.filters["split_lines"] = str.splitlines


def _template(name: str) -> str:
    return (resources.files("services.notifier.channels") / "templates" / name).read_text(encoding="utf-8")


_TEXT = _environment.from_string(_template("mail.txt"))
_MJML = _html_environment.from_string(_template("mail.mjml"))


@dataclass(frozen=True)
class Letter:
    """A mail that lacks only its reader."""

    subject: str
    language: str
    commitment_id: str
    event_id: UUID
    text: slots.Slotted
    html: slots.Slotted


def letter(news: News, words: Words, *, commitment_id: str, event_id: UUID) -> Letter:
    """The mail, with slots for the delivery."""
    furniture = {
        "news": news,
        "label": words.label,
        "quoted": words.quoted,
        "reason": slots.REASON,
        "subscription_url": slots.SUBSCRIPTION_URL,
        "unsubscribe_url": slots.UNSUBSCRIBE_URL,
        "delivery_id": slots.DELIVERY_ID,
        "manage": words.gettext("Change what you get"),
        "unsubscribe": words.gettext("Unsubscribe"),
        "delivery": words.gettext("Delivery"),
        "wire": words.gettext("Pledgewire: what governments promised, and when"),
        "underlined": lambda text: "=" * min(len(text), 72),
    }
    html = _reopened(mjml2html(_MJML.render(furniture), fonts={}))
    return Letter(
        subject=news.subject,
        language=news.language,
        commitment_id=commitment_id,
        event_id=event_id,
        text=slots.Slotted.of(_TEXT.render(furniture)),
        html=slots.Slotted.of(html),
    )


def posted(
    letter: Letter,
    value: Callable[[str], str],
    *,
    sender: str,
    address: str,
    delivery_id: UUID,
    unsubscribe_url: str,
    at: datetime,
) -> EmailMessage:
    """The mail for one reader; `sender` is `Name <address>` or an address, `at` the time of the attempt.

    The Message-ID belongs to the delivery, so a second copy of it is recognisable; all mails about a commitment
    refer to one ancestor, so they stand in one thread.
    """
    name, mailbox = parseaddr(sender)
    domain = mailbox.rpartition("@")[2] or "localhost"
    thread = f"<commitment.{letter.commitment_id}@{domain}>"
    mail = EmailMessage(POLICY)
    mail["From"] = Address(plain(name), addr_spec=mailbox)
    mail["To"] = Address(addr_spec=address)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{delivery_id}@{domain}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["List-Id"] = f"Pledgewire <pledgewire.{domain}>"
    mail["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Pledgewire-Delivery"] = str(delivery_id)
    mail["X-Pledgewire-Event"] = str(letter.event_id)
    mail.set_content(letter.text.filled(value), cte="quoted-printable")
    html = letter.html.filled(lambda slot: escape_html(value(slot)))
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = letter.language  # last: what begins with Content- would move into the first part
    return mail


def _reopened(html: str) -> str:
    """The page with the slots in its addresses, which MJML writes as escapes.

    Only whole attributes are taken: in a text the quotation marks would be escaped.
    """
    for slot in (slots.SUBSCRIPTION_URL, slots.UNSUBSCRIBE_URL):
        html = html.replace(f'href="{slot}"'.replace("\x7f", r"\u{7f}"), f'href="{slot}"')
    return html
