"""E-mail: a text part and an HTML part with the same facts in the same order, and the headers that keep machines calm.

The HTML is MJML (for tables that old mail programs understand) and asks nobody for anything: no fonts, no images,
no tracking.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib import resources
from typing import Self
from uuid import UUID

import jinja2
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape
from mjml import mjml2html

from services.i18n.prose import Prose
from services.i18n.words import Words
from services.notifier.channels import mail_headers as header
from services.notifier.channels.channel import MailedChannel
from services.notifier.channels.mail_addresses import NamedAddress, mail_address
from services.notifier.channels.outcomes import Accepted, AttemptOutcome, Deferred, FailureReason, Refused
from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress
from services.notifier.events.published_event import LocalizedEvent, LocalizedGroup
from services.notifier.rendering import placeholders
from services.notifier.rendering.group_message import GroupMessage
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.placeholders import PlaceholderValues, Template
from services.notifier.rendering.reader import Reader
from services.plumbing.sentences import Sentence

# 7bit, so that no relay on the way has a reason to rewrite the body, which would break its signature.
POLICY = SMTP.clone(cte_type="7bit")


def _marked(text: str) -> Markup:
    """A text as HTML that says of the words of other languages which they are in."""
    runs = text.runs if isinstance(text, Prose) else ()
    if not any(run.language for run in runs):
        return escape(text)
    return Markup().join(
        Markup('<span lang="{}">{}</span>').format(run.language, run.text) if run.language else escape(run.text)
        for run in runs
    )


def _template(name: str) -> str:
    return (resources.files("services.notifier.channels") / "templates" / name).read_text(encoding="utf-8")


_html_environment = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_template)
)
_html_environment.filters["marked"] = _marked
_environment = _html_environment.overlay(autoescape=False)
_environment.filters["split_lines"] = str.splitlines


@dataclass(frozen=True)
class _Layout:
    """A template for each of the two parts of a mail."""

    text: jinja2.Template
    mjml: jinja2.Template

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(_environment.get_template(f"{name}.txt"), _html_environment.get_template(f"{name}.mjml"))


_ONE, _SEVERAL = _Layout.named("mail"), _Layout.named("group")


_ESCAPED_ADDRESS = re.compile(r'href="\\u\{7f\}([a-z0-9|-]+-url)\\u\{7f\}"')
_ASKS_TO_WAIT = re.compile(
    r"\b4\.7\.\d{1,3}\b|\bthrottl|\bgr[ea]y-?\s?list|\brate\b|\brate-?limit|\bslow down\b|\btoo (?:many|much|fast)\b",
    re.IGNORECASE,
)
_FOR_SO_LONG = re.compile(r"\b(?:in|after|for)\s+(\d{1,5})\s*(s|m)(?:ec|in|\b)", re.IGNORECASE)
_USUAL_WAIT = 60.0


@dataclass(frozen=True)
class MailTemplate:
    """A mail that lacks only its reader."""

    subject: str
    language: str
    thread: str | None
    """What the mails of one thread have in common; None for a mail that stands by itself."""
    event_id: UUID
    text: Template
    html: Template


class Email(MailedChannel[MailTemplate]):
    """Mail to one address."""

    def checked_address(self, address: str, allowed: AllowList) -> str:
        """The address as it is sent to; a local part beyond ASCII needs a mail server that takes it."""
        if not allowed.mail:
            raise UndeliverableAddress(Sentence("there is no mail server here (SMTP_HOST)"))
        return mail_address(address, smtputf8=allowed.smtputf8)

    def masked_address(self, address: str) -> str:
        """Its first letter and its host."""
        local, _, host = address.rpartition("@")
        return f"{local[:1]}…@{host}"

    def comparable_address(self, address: str) -> str:
        """In small letters, which no mail server that we know tells apart, and with the domain as it is sent to."""
        try:
            return mail_address(address, smtputf8=True).casefold()
        except UndeliverableAddress:
            return address.casefold()

    def render(self, event: LocalizedEvent) -> MailTemplate:
        """Both parts of the mail, with placeholders for the reader."""
        message, thread = event.message, f"commitment.{event.event.data.commitment.id}"
        preview = f"{message.lead} {message.ask}".strip() or message.title
        return _rendered(_ONE, message, event.words, event.event.id, thread, preview)

    def render_group(self, group: LocalizedGroup) -> MailTemplate:
        """The same of several events; in a thread where all are about one commitment."""
        message = group.message
        thread = f"commitment.{message.thread}" if message.thread else None
        preview = " · ".join(item.title for section in message.first(3)[0] for item in section.items)
        return _rendered(_SEVERAL, message, group.words, group.event.id, thread, preview)

    def mail(
        self, rendered: MailTemplate, reader: Reader, value: PlaceholderValues, *, sender: NamedAddress, at: datetime
    ) -> bytes:
        """The mail for one reader, as it goes over the wire; `at` is the time of the attempt. Raises `BrokenMail`.

        The Message-ID belongs to the delivery, so a second copy of it is recognisable; all mails about a commitment
        refer to one ancestor, so they stand in one thread.
        """
        thread = f"<{rendered.thread}@{sender.domain}>"
        headers = [
            header.mailbox("From", sender),
            header.mailbox("To", NamedAddress("", reader.address)),
            header.prose("Subject", rendered.subject),
            header.verbatim("Date", format_datetime(at)),
            header.verbatim("Message-ID", f"<{reader.delivery_id}@{sender.domain}>"),
            *([header.verbatim(name, thread) for name in ("In-Reply-To", "References")] if rendered.thread else []),
            header.verbatim("List-Id", f"Pledgewire <pledgewire.{sender.domain}>"),
            header.verbatim("List-Unsubscribe", f"<{reader.unsubscribe_url}>"),
            header.verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            header.verbatim("Auto-Submitted", "auto-generated"),
            header.verbatim("X-Auto-Response-Suppress", "All"),
            header.verbatim("X-Pledgewire-Delivery", str(reader.delivery_id)),
            header.verbatim("X-Pledgewire-Event", str(rendered.event_id)),
            header.verbatim("Content-Language", rendered.language),
        ]
        body = EmailMessage(POLICY)
        body.set_content(rendered.text.fill(value), cte="quoted-printable")
        html = rendered.html.fill(lambda placeholder: str(_marked(value(placeholder))))
        body.add_alternative(html, subtype="html", cte="quoted-printable")
        return header.written_mail(headers, body, recipient=reader.address)

    def read_reply(self, code: int, text: str = "", *, recipient: bool = False) -> AttemptOutcome:
        """2xx is taken but not yet in the mailbox, 4xx may pass, 5xx is final.

        A 4xx that speaks of a rate, of greylisting or of policy (4.7.x, RFC 3463, 3.8) asks to wait.
        """
        if 200 <= code < 300:
            return Accepted(code)
        if 400 <= code < 500:
            if _ASKS_TO_WAIT.search(text) or _FOR_SO_LONG.search(text):
                return Deferred(FailureReason.THROTTLED, code, _asked(text), everybody=not recipient or code == 421)
            return Refused(FailureReason.BUSY, code, retryable=True)
        return Refused(FailureReason.RECIPIENT if recipient else FailureReason.REFUSED, code)


def _rendered(
    layout: _Layout,
    message: EventMessage | GroupMessage,
    words: Words,
    event_id: UUID,
    thread: str | None,
    preview: str,
) -> MailTemplate:
    context = {
        "message": message,
        "preview": preview,
        "label": words.label,
        "quoted": words.quoted,
        "reason": placeholders.REASON,
        "subscription_url": placeholders.SUBSCRIPTION_URL,
        "unsubscribe_url": placeholders.UNSUBSCRIBE_URL,
        "delivery_id": placeholders.DELIVERY_ID,
        "manage": words.gettext("Change what you get"),
        "unsubscribe": words.gettext("Unsubscribe"),
        "delivery": words.gettext("Delivery"),
        "wire": words.gettext("Pledgewire: what governments promised, and when"),
        "underlined": lambda text: "=" * min(len(text), 72),
    }
    html = _with_placeholders(mjml2html(layout.mjml.render(context), fonts={}))
    return MailTemplate(
        message.subject,
        message.language,
        thread,
        event_id,
        Template.parse(layout.text.render(context)),
        Template.parse(html),
    )


def _asked(text: str) -> float:
    """The seconds that a mail server asks to wait, where it says so; otherwise a minute, since it counts in minutes."""
    if found := _FOR_SO_LONG.search(text):
        return float(found[1]) * (1 if found[2].lower().startswith("s") else 60)
    return _USUAL_WAIT


def _with_placeholders(html: str) -> str:
    """The page with the placeholders in its addresses, which MJML writes as escapes.

    Only whole attributes are taken: in a text the quotation marks would be escaped.
    """
    return _ESCAPED_ADDRESS.sub('href="\x7f\\1\x7f"', html)
