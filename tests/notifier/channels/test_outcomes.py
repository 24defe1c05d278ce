"""What a channel's answer means."""

from datetime import UTC, datetime

import pytest

from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Deferred,
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


def reply(code: int, text: str = "", *, recipient: bool = False) -> AttemptOutcome:
    """What a mail server's code means."""
    mailed = CHANNELS["email"]
    assert isinstance(mailed, MailedChannel)
    return mailed.read_reply(code, text, recipient=recipient)


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


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
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
        ("1.5", 1.5),
        ("Sun Nov  6 08:49:37 2094", pytest.approx(2_301_000_000, rel=0.01)),
        ("Thu, 18 Nov 99999 15:02:00 GMT", None),
        ("Thu, 18 Nov 2021 15:02:00 +99999999", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 400, 999_999_999.0),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None):
    assert read_retry_after(value, NOW) == seconds


@pytest.mark.parametrize("channel", ["webhook", "slack", "teams"])
def test_who_says_to_wait_has_refused_nothing(channel: str):
    assert answer(channel, 429, "7") == Deferred(FailureReason.THROTTLED, 429, 7.0)
    assert answer(channel, 429) == Deferred(FailureReason.THROTTLED, 429, None)
    assert answer(channel, 503, "Thu, 18 Nov 2021 15:00:07 GMT") == Deferred(FailureReason.BUSY, 503, 7.0)
    assert answer(channel, 503, "soon") == Refused(FailureReason.BUSY, 503, retryable=True)
    assert answer(channel, 500, "7") == Refused(FailureReason.BUSY, 500, retryable=True)


def test_teams_says_200_and_in_the_body_that_it_was_too_much():
    said = (
        b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error %d with ContextId 1"
    )

    assert answer("teams", 200, None, said % 429) == Deferred(FailureReason.THROTTLED, 429)
    assert answer("teams", 200, None, said % 502) == Refused(FailureReason.BUSY, 502, retryable=True)
    assert answer("teams", 200, None, said % 400) == Refused(FailureReason.REFUSED, 400)
    assert answer("webhook", 200, None, said % 429) == Delivered(200)


@pytest.mark.parametrize(
    ("code", "text", "seconds"),
    [
        (450, "4.7.1 Greylisted, please try again in 300 seconds", 300.0),
        (451, "4.7.1 Greylisting in action, come back later", 60.0),
        (
            450,
            "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents more",
            60.0,
        ),
        (421, "4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP", 60.0),
        (452, "4.5.3 Too many recipients received this hour", 60.0),
        (451, "Graylisted, retry after 5 minutes", 300.0),
        (421, "4.3.2 Too many concurrent connections", 60.0),
    ],
)
def test_a_mail_server_says_to_wait_in_words(code: int, text: str, seconds: float):
    told = reply(code, text, recipient=True)

    assert told == Deferred(FailureReason.THROTTLED, code, seconds, everybody=code == 421)


@pytest.mark.parametrize(
    ("code", "text"),
    [(452, "4.2.2 Mailbox full"), (451, "4.3.0 Temporary lookup failure"), (450, "4.1.1 Moderated address"), (451, "")],
)
def test_a_mail_server_that_has_a_fault_does_not_say_to_wait(code: int, text: str):
    assert reply(code, text) == Refused(FailureReason.BUSY, code, retryable=True)


def test_mail_codes():
    assert reply(250) == Accepted(250)
    assert reply(451) == Refused(FailureReason.BUSY, 451, retryable=True)
    assert reply(450, recipient=True) == Refused(FailureReason.BUSY, 450, retryable=True)
    assert reply(550, recipient=True) == Refused(FailureReason.RECIPIENT, 550)
    assert reply(554) == Refused(FailureReason.REFUSED, 554)
