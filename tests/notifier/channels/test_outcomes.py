"""What a channel's answer means."""

from datetime import UTC, datetime

import pytest

from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Delivered,
    FailureReason,
    Refused,
    read_retry_after,
)

NOW = datetime(2021, 11, 18, 15, 0, tzinfo=UTC)


def answer(channel: str, status: int, retry_after: str | None = None, body: bytes = b"") -> AttemptOutcome:
    """What an answer means on a channel that is posted to."""
    posted = CHANNELS[channel]
    assert isinstance(posted, PostedChannel)
    return posted.read_answer(status, retry_after, body, NOW)


def reply(code: int, *, recipient: bool = False) -> AttemptOutcome:
    """What a mail server's code means."""
    mailed = CHANNELS["email"]
    assert isinstance(mailed, MailedChannel)
    return mailed.read_reply(code, recipient=recipient)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_delivers(status: int):
    assert answer("webhook", status) == Delivered(status)


def test_a_teams_flow_only_accepts():
    assert answer("teams", 202, None, b"") == Accepted(202)
    assert answer("teams", 200, None, b"1") == Delivered(200)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_never_followed(status: int):
    assert answer("webhook", status) == Refused(FailureReason.REDIRECT, status)


@pytest.mark.parametrize(
    ("channel", "status", "body"),
    [("webhook", 410, b""), ("slack", 410, b"channel_is_archived"), ("slack", 404, b"no_service"), ("teams", 410, b"")],
)
def test_who_is_gone_is_gone(channel: str, status: int, body: bytes):
    assert answer(channel, status, None, body) == Refused(FailureReason.GONE, status, gone=True)


@pytest.mark.parametrize(
    ("channel", "status"),
    [
        ("webhook", 404),
        ("slack", 404),
        ("teams", 404),
        ("webhook", 400),
        ("webhook", 401),
        ("slack", 403),
        ("webhook", 413),
        ("webhook", 199),
    ],
)
def test_other_refusals_are_final_but_do_not_end_the_subscription(channel: str, status: int):
    assert answer(channel, status, "5", b"not here") == Refused(FailureReason.REFUSED, status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(status: int):
    outcome = answer("webhook", status)

    assert isinstance(outcome, Refused)
    assert outcome.retryable


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 18 Nov 2021 15:02:00 GMT", 120.0),
        ("Thu, 18 Nov 2021 14:00:00 GMT", 0.0),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 400, 999_999_999.0),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None):
    assert read_retry_after(value, NOW) == seconds


def test_retry_after_counts_where_it_belongs():
    assert answer("webhook", 429, "7", b"") == Refused(FailureReason.THROTTLED, 429, True, 7.0)
    assert answer("webhook", 503, "7", b"") == Refused(FailureReason.BUSY, 503, True, 7.0)
    assert answer("webhook", 500, "7", b"") == Refused(FailureReason.BUSY, 500, True, None)


def test_mail_codes():
    assert reply(250) == Accepted(250)
    assert reply(451) == Refused(FailureReason.BUSY, 451, retryable=True)
    assert reply(450, recipient=True) == Refused(FailureReason.BUSY, 450, retryable=True)
    assert reply(550, recipient=True) == Refused(FailureReason.RECIPIENT, 550)
    assert reply(554) == Refused(FailureReason.REFUSED, 554)
