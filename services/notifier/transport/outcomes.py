"""What became of one attempt, and what the answer of a channel means. Nothing here sends, sleeps or retries."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why an attempt did not deliver: a closed list, fit for a metric's label and for a person's eye."""

    TIMEOUT = "timeout"
    NAME = "name-not-resolved"
    CONNECTION = "connection-failed"
    TLS = "tls-failed"
    RESET = "connection-lost"
    BLOCKED = "address-not-allowed"
    REDIRECT = "redirect-not-followed"
    GONE = "gone"
    REFUSED = "refused"
    THROTTLED = "throttled"
    BUSY = "temporarily-unavailable"
    RECIPIENT = "recipient-refused"
    FAULT = "fault-on-our-side"
    LEASE = "lease-ran-out"

    @property
    def passes(self) -> bool:
        """Whether an attempt that failed so before anything was sent may work later."""
        return self is not Reason.BLOCKED


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    code: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody on the way took it, and will not tell us more: a mail server's 250, a Teams flow's 202."""

    code: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not delivered, for certain.

    `retry_after` is the receiver's wish in seconds, not yet bounded; `gone` says that no delivery will ever work.
    """

    reason: Reason
    code: int | None = None
    retryable: bool = False
    retry_after: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and not answered: the receiver may have it. Sent again, under the same id."""

    reason: Reason


Outcome = Delivered | Accepted | Refused | Unknown

_RETRYABLE = frozenset({408, 425, 429})
_SLACK_GONE = (b"no_service", b"channel_not_found", b"no_team", b"channel_is_archived")


def of_response(channel: str, status: int, retry_after: str | None, body: bytes, now: datetime) -> Outcome:
    """What an HTTP answer means on a channel (`slack`, `teams` or `webhook`).

    Only 2xx delivers; a redirect is never followed; 410 ends the subscription, on Slack also a 404 that says so.
    """
    if 200 <= status < 300:
        return Accepted(status) if channel == "teams" and status == 202 else Delivered(status)
    if status < 400:
        return Refused(Reason.REDIRECT if status >= 300 else Reason.REFUSED, status)
    if status == 410 or (channel == "slack" and status == 404 and any(word in body for word in _SLACK_GONE)):
        return Refused(Reason.GONE, status, gone=True)
    if status in _RETRYABLE or status >= 500:
        wish = read_retry_after(retry_after, now) if status in (429, 503) else None
        return Refused(Reason.THROTTLED if status == 429 else Reason.BUSY, status, retryable=True, retry_after=wish)
    return Refused(Reason.REFUSED, status)


def of_smtp_code(code: int, *, recipient: bool = False) -> Outcome:
    """What a mail server's code means; `recipient` when it answered RCPT TO, so the code is about the address."""
    if 200 <= code < 300:
        return Accepted(code)
    reason = Reason.RECIPIENT if recipient else Reason.REFUSED
    if 400 <= code < 500:
        return Refused(Reason.BUSY, code, retryable=True)
    return Refused(reason, code)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds from `now`, never negative; None where it is missing or makes no sense.

    Source: RFC 9110, 10.2.3: a count of seconds or an HTTP date.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp(), 0.0)
