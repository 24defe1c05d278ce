"""Headers of mails: whatever a text holds, it stays in its header, and there is one of each."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.i18n.text import plain
from services.notifier.channels import mail_headers as header
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.channels.mail_headers import BrokenMail, written_mail
from tests.contracts.event_strategies import STRANGE
from tests.notifier.rendering.material import GOLDEN, mailed

TO = "desk@example.org"
SECOND_HEADER = "=?utf-8?q?x=0D=0ABcc:e@x.ex?="
any_text = st.text(max_size=400) | st.sampled_from(STRANGE) | st.text('=?qbutf-8?x0DABc:e@\r\n \t<>",', max_size=80)
often = settings(max_examples=300, deadline=None)


def body() -> EmailMessage:
    made = EmailMessage(SMTP.clone(cte_type="7bit"))
    made.set_content("A text.\n")
    return made


def shown(raw: str) -> str:
    """A header as a mail program shows it; unfolding is all that comes before decoding (RFC 5322, 2.2.3)."""
    return str(make_header(decode_header(raw.replace("\r\n", ""))))


@often
@given(any_text, any_text)
@example(SECOND_HEADER, SECOND_HEADER)
@example("=?utf-8?b?DQpCY2M6IGVAeC5leA0KDQp4?=", "a" * 400)
@example("a =?x?q?=00?= b", " ")
def test_no_text_becomes_a_second_header_a_recipient_or_a_body(subject: str, name: str) -> None:
    headers = [
        header.mailbox("From", NamedAddress(plain(name), "notices@pledgewire.example")),
        header.mailbox("To", NamedAddress("", TO)),
        header.prose("Subject", subject),
    ]
    mail = written_mail(headers, body(), recipient=TO)

    read = message_from_bytes(mail, policy=compat32)
    assert [name.lower() for name in read] == [
        *("from", "to", "subject", "content-type", "content-transfer-encoding", "mime-version")
    ]
    assert read.get_all("To") == [TO]
    assert read["From"].replace("\r\n", "").endswith("notices@pledgewire.example" + ">" * bool(plain(name)))
    assert read.get_payload() == "A text.\r\n"
    assert mail.isascii()
    assert max(map(len, mail.split(b"\r\n"))) <= 78
    assert shown(read["Subject"] or "") == plain(subject)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_mail_has_each_header_once_and_one_recipient(name: str) -> None:
    lines = mailed(GOLDEN[name], "fr").partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0].lower() for line in lines if not line.startswith((b" ", b"\t"))]

    assert len(names) == len(set(names))
    assert names.count(b"to") == 1
    assert not {b"cc", b"bcc", b"resent-to", b"reply-to"} & set(names)


@pytest.mark.parametrize("value", ["a\r\nBcc: x@y.example", "a\nb", "é", "a\x00", "\u2028"])
def test_what_is_for_machines_is_printable_ascii(value: str) -> None:
    with pytest.raises(BrokenMail):
        header.verbatim("List-Unsubscribe", value)


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ([f"To: {TO}", "Subject: x\r\nBcc: e@x.example"], "other headers"),
        ([f"To: {TO}", "Subject: x\r\n\r\nA body"], "other headers"),
        ([f"To: {TO}", f"To: {TO}"], "other headers"),
        ([f"To: {TO}", "Subject: x", "mime-version: 2"], "other headers"),
        (["To: another@example.org", "Subject: x"], "another recipient"),
        ([f"To: {TO}", "Subject: x\ry"], "a line ends"),
        ([f"To: {TO}", "Subject: x\0y"], "a line ends"),
        ([f"To: {TO}", f"X-Long: {'x' * 999}"], "octets"),
    ],
)
def test_what_was_written_is_looked_at_once_more_as_bytes(headers: list[str], what: str) -> None:
    with pytest.raises(BrokenMail, match=what):
        written_mail(headers, body(), recipient=TO)


def test_an_address_beyond_ascii_stands_in_its_header_as_it_is() -> None:
    to = "jörg@xn--behrde-yxa.example"
    mail = written_mail(
        [header.mailbox("To", NamedAddress("", to)), header.prose("Subject", "Über")], body(), recipient=to
    )

    assert f"\r\nTo: {to}\r\n" in f"\r\n{mail.decode()}"
    assert re.sub(rb"To: [^\r]*", b"", mail).isascii()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Pledgewire", "From: Pledgewire <a@b.example>"),
        ("", "From: a@b.example"),
        ("Señal", "From: =?utf-8?b?U2XDsWFs?= <a@b.example>"),
        ("Notices, NALS", "From: =?utf-8?q?Notices=2C_NALS?= <a@b.example>"),
        (SECOND_HEADER, "From: =?utf-8?b?PT91dGYtOD9xP3g9MEQ9MEFCY2M6ZUB4LmV4Pz0=?= <a@b.example>"),
        ("Sí " * 20, None),
    ],
)
def test_a_senders_name_is_words_or_encoded(name: str, written: str | None) -> None:
    found = header.mailbox("From", NamedAddress(name, "a@b.example"))

    assert written in (None, found)
    assert max(map(len, found.split("\r\n"))) <= 78
