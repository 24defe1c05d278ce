"""What became of one attempt, and what an HTTP answer usually means. Nothing here sends, sleeps or retries."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum


class FailureReason(StrEnum):
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
    def is_transient(self) -> bool:
        """Whether an attempt that failed so before anything was sent may work later."""
        return self is not FailureReason.BLOCKED


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    code: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody on the way took it, and says no more: a mail server's 250, a Teams flow's 202."""

    code: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not delivered, for certain.

    `retry_after` is how long the receiver asks to wait, in seconds, not yet bounded; `gone` says that no delivery will
    ever work.
    """

    reason: FailureReason
    code: int | None = None
    retryable: bool = False
    retry_after: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and not answered: the receiver may have it. Sent again, under the same id."""

    reason: FailureReason


AttemptOutcome = Delivered | Accepted | Refused | Unknown

_RETRYABLE = frozenset({408, 425, 429})


def read_http_answer(status: int, retry_after: str | None, now: datetime) -> AttemptOutcome:
    """What an HTTP answer means, where a channel knows no better.

    Only 2xx delivers; a redirect is never followed; 410 ends the subscription.
    """
    if 200 <= status < 300:
        return Delivered(status)
    if status < 400:
        return Refused(FailureReason.REDIRECT if status >= 300 else FailureReason.REFUSED, status)
    if status == 410:
        return gone(status)
    if status in _RETRYABLE or status >= 500:
        asked = read_retry_after(retry_after, now) if status in (429, 503) else None
        reason = FailureReason.THROTTLED if status == 429 else FailureReason.BUSY
        return Refused(reason, status, retryable=True, retry_after=asked)
    return Refused(FailureReason.REFUSED, status)


def gone(code: int) -> Refused:
    """The receiver says that nothing will ever be taken at this address."""
    return Refused(FailureReason.GONE, code, gone=True)


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
