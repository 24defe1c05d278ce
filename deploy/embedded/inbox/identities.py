"""Which delivery, and of which commitment, a message is: read from where the notifier writes it, kind by kind."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

DELIVERY_HEADER = b"x-pledgewire-delivery"

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# Links hold ids too, of subscriptions; a delivery's id stands in plain sight.
_SLACK_LINK = re.compile(r"<[^>]*>")
_MARKDOWN_LINK = re.compile(r"\]\([^)]*\)")
_COMMITMENT_PAGE = re.compile(r"/commitments/([a-z0-9]+(?:-[a-z0-9]+)*)")
_MESSAGE_ID = re.compile(r"<([^<>@\s]+)@[^<>\s]*>")
_THREAD = re.compile(r"<commitment\.([a-z0-9]+(?:-[a-z0-9]+)*)@")


def of_mail(message_id: str, references: str) -> tuple[str | None, str | None]:
    """From `Message-ID: <DELIVERY@…>` and `References: <commitment.ID@…>`; of others, the whole id as it is."""
    own = _MESSAGE_ID.search(message_id)
    thread = _THREAD.search(references)
    return own[1] if own else None, thread[1] if thread else None


def of_slack(headers: Mapping[bytes, bytes], payload: Mapping[str, Any], body: str) -> tuple[str | None, str | None]:
    """From the context line at the end of the card; the commitment from the link to its page."""
    texts = (
        element.get("text", "")
        for block in reversed(payload.get("blocks") or [])
        if block.get("type") == "context"
        for element in reversed(block.get("elements") or [])
    )
    return _from(headers, texts, _SLACK_LINK), _commitment(body)


def of_teams(headers: Mapping[bytes, bytes], card: Mapping[str, Any], body: str) -> tuple[str | None, str | None]:
    """From the last text blocks of the card; the commitment from the link to its page."""
    texts = (block.get("text", "") for block in reversed(card.get("body") or []) if block.get("type") == "TextBlock")
    return _from(headers, texts, _MARKDOWN_LINK), _commitment(body)


def of_webhook(headers: Mapping[bytes, bytes], payload: Any) -> tuple[str | None, str | None]:
    """From `webhook-id`; the commitment is the event's subject."""
    delivery = headers.get(b"webhook-id", b"").decode("latin-1") or None
    subject = payload.get("subject") if isinstance(payload, dict) else None
    return delivery, subject if isinstance(subject, str) else None


def _from(headers: Mapping[bytes, bytes], texts: Iterable[Any], link: re.Pattern[str]) -> str | None:
    if told := headers.get(DELIVERY_HEADER):
        return told.decode("latin-1")
    for text in texts:
        if isinstance(text, str) and (found := _UUID.findall(link.sub(" ", text))):
            return str(found[-1])
    return None


def _commitment(body: str) -> str | None:
    found = _COMMITMENT_PAGE.search(body)
    return found[1] if found else None
