"""The mail with the links to all subscriptions of an address, in the languages of these. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from services.i18n.delivery_names import subscription_state
from services.i18n.languages import nearest_language
from services.i18n.text import plain
from services.i18n.words import Words, words_in
from services.notifier.channels import mail_headers as header
from services.notifier.channels.email import POLICY
from services.notifier.channels.mail_addresses import NamedAddress


@dataclass(frozen=True)
class LinkedSubscription:
    """A subscription that the address has."""

    id: UUID
    subscriber: str
    language: str
    state: str


def link_mail(
    subscriptions: Sequence[LinkedSubscription],
    address: str,
    link: Callable[[UUID], str],
    *,
    sender: NamedAddress,
    message_id: str,
    at: datetime,
) -> bytes:
    """The mail as it goes over the wire; there has to be a subscription. The first one's language says the subject."""
    by_language: dict[str, list[LinkedSubscription]] = {}
    for one in subscriptions:
        by_language.setdefault(nearest_language(one.language), []).append(one)
    first = words_in(next(iter(by_language)))
    headers = [
        header.mailbox("From", sender),
        header.mailbox("To", NamedAddress("", address)),
        header.prose("Subject", first.gettext("The links to your subscriptions")),
        header.verbatim("Date", format_datetime(at)),
        header.verbatim("Message-ID", f"<{message_id}@{sender.domain}>"),
        header.verbatim("Auto-Submitted", "auto-replied"),
        header.verbatim("X-Auto-Response-Suppress", "All"),
        header.verbatim("Content-Language", ", ".join(by_language)),
    ]
    body = EmailMessage(POLICY)
    body.set_content(_text(by_language, link), cte="quoted-printable")
    return header.written_mail(headers, body, recipient=address)


def _text(by_language: Mapping[str, Sequence[LinkedSubscription]], link: Callable[[UUID], str]) -> str:
    parts = [_part(words_in(language), listed, link) for language, listed in by_language.items()]
    return "\n\n* * *\n\n".join(parts) + "\n"


def _part(words: Words, subscriptions: Sequence[LinkedSubscription], link: Callable[[UUID], str]) -> str:
    lines = [
        words.gettext(
            "Somebody, most likely you, asked for the links to what Pledgewire sends to this address. Behind each is"
            " a page where you change, pause or stop it, without a password."
        ),
        *(f"{plain(one.subscriber)} ({subscription_state(one.state, words)})\n{link(one.id)}" for one in subscriptions),
        words.gettext(
            "If it was not you, there is nothing that you have to do: the links were sent to nobody else, and no"
            " second mail of this kind comes within a day."
        ),
    ]
    return "\n\n".join(lines)
