"""What became of one attempt, and what an HTTP answer usually means. Nothing here sends, sleeps or retries."""

import re
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
    RENDERING = "can-not-be-rendered"
    LEASE = "lease-ran-out"

    @property
    def is_transient(self) -> bool:
        """Whether an attempt that failed so before anything was sent may work later."""
        return self not in (FailureReason.BLOCKED, FailureReason.RENDERING)


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
    """It was not delivered, for certain. `gone` says that no delivery will ever work."""

    reason: FailureReason
    code: int | None = None
    retryable: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """The receiver says "not now": it took nothing, and nothing is wrong with the message. No failed attempt.

    `seconds` is how long it asks to wait, not yet bounded, None where it doesn't say. `everybody`: it was said to us,
    not about this recipient, as by a mail server that all mail goes through.
    """

    reason: FailureReason
    code: int | None = None
    seconds: float | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and not answered: the receiver may have it. Sent again, under the same id."""

    reason: FailureReason


AttemptOutcome = Delivered | Accepted | Refused | Deferred | Unknown

_OURS = frozenset({FailureReason.FAULT, FailureReason.RENDERING, FailureReason.LEASE})


def failed_for_its_destination(outcome: AttemptOutcome) -> bool | None:
    """Whether an attempt failed for its destination's sake; None where it says nothing of it: put off, or our fault."""
    match outcome:
        case Delivered() | Accepted():
            return False
        case Refused(reason=reason) | Unknown(reason=reason) if reason not in _OURS:
            return True
    return None


_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_RETRYABLE = frozenset({408, 425})


def read_http_answer(status: int, retry_after: str | None, now: datetime) -> AttemptOutcome:
    """What an HTTP answer means, where a channel knows no better.

    Only 2xx delivers; a redirect is never followed; 410 ends the subscription. 429, and 503 with a `Retry-After` that
    can be read, ask to wait (RFC 6585, 4; RFC 9110, 15.6.4). `now` is the receiver's time, or ours where it says none.
    """
    if 200 <= status < 300:
        return Delivered(status)
    if status < 400:
        return Refused(FailureReason.REDIRECT if status >= 300 else FailureReason.REFUSED, status)
    if status == 410:
        return gone(status)
    if status in (429, 503):
        asked = read_retry_after(retry_after, now)
        if status == 429:
            return Deferred(FailureReason.THROTTLED, status, asked)
        if asked is not None:
            return Deferred(FailureReason.BUSY, status, asked)
    if status in _RETRYABLE or status >= 500:
        return Refused(FailureReason.BUSY, status, retryable=True)
    return Refused(FailureReason.REFUSED, status)


def gone(code: int) -> Refused:
    """The receiver says that nothing will ever be taken at this address."""
    return Refused(FailureReason.GONE, code, gone=True)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds from `now`, never negative; None where it is missing or makes no sense.

    Source: RFC 9110, 10.2.3: a count of seconds or an HTTP date. A fraction of seconds is read, too: some write it.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return float(f"{whole[:9]}.{fraction[:3] or 0}")
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp(), 0.0)
