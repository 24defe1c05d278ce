"""Mail addresses: one place says which can be mailed to or from, and how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from services.notifier.channels import CHANNELS
from services.notifier.channels.mail_addresses import NamedAddress, mail_address, read_mailbox
from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("info@behörde.example", "info@xn--behrde-yxa.example"),
        ("info@BEHÖRDE.Example", "info@xn--behrde-yxa.example"),
        ("info@xn--behrde-yxa.example", "info@xn--behrde-yxa.example"),
        ("a@例え.example", "a@xn--r8jz45g.example"),
        ("A.B+c@Example.org", "A.B+c@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_kept_as_it_is_sent_to(given: str, kept: str) -> None:
    assert mail_address(given, smtputf8=False) == kept
    assert mail_address(kept, smtputf8=False) == kept
    assert CHANNELS["email"].comparable_address(given) == CHANNELS["email"].comparable_address(kept)


@pytest.mark.parametrize(
    "address",
    [
        "a" * 65 + "@example.org",
        "=?utf-8?q?x?=@example.org",
        "x=?utf-8?b?eA==?=@example.org",
        '"a b"@example.org',
        '"=?utf-8?q?x?="@example.org',
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@localhost",
        "a@desk.localhost",
        "a@ministry.internal",
        "a@router.home.arpa",
        "a@ministry.local",
        "a@a.alt",
        "a@a.test",
        "a@mailpit",
        "Desk <a@example.org>",
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@exa\u200bmple.org",
        "\ufeffa@example.org",
        "a@" + "b" * 64 + ".example",
        "a@" + ".".join(["b" * 60] * 5),
        "a..b@example.org",
        "a@b@example.org",
        "@example.org",
        "a@",
    ],
)
@pytest.mark.parametrize("smtputf8", [False, True])
def test_what_no_mail_can_be_sent_to_is_refused(address: str, smtputf8: bool) -> None:
    with pytest.raises(UndeliverableAddress):
        mail_address(address, smtputf8=smtputf8)


def test_letters_beyond_ascii_before_the_at_need_a_server_that_takes_them() -> None:
    with pytest.raises(UndeliverableAddress, match="SMTPUTF8"):
        mail_address("jörg@example.org", smtputf8=False)
    assert mail_address("jörg@behörde.example", smtputf8=True) == "jörg@xn--behrde-yxa.example"
    assert mail_address("jo\u0308rg@example.org", smtputf8=True) == "jörg@example.org"
    with pytest.raises(UndeliverableAddress):
        mail_address("ü" * 33 + "@example.org", smtputf8=True)  # 66 octets


def test_without_a_mail_server_nobody_subscribes_to_mail() -> None:
    with pytest.raises(UndeliverableAddress, match="SMTP_HOST"):
        CHANNELS["email"].checked_address("a@example.org", AllowList(mail=False))


@given(st.text(min_size=1, max_size=80), domains() | st.text(max_size=40), st.booleans())
def test_an_address_that_is_taken_goes_over_the_wire(local: str, domain: str, smtputf8: bool) -> None:
    try:
        address = mail_address(f"{local}@{domain}", smtputf8=smtputf8)
    except UndeliverableAddress:
        return
    assert address == mail_address(address, smtputf8=smtputf8)
    kept_local, _, kept_domain = address.rpartition("@")
    assert kept_domain.isascii()
    assert smtputf8 or kept_local.isascii()
    assert len(kept_local.encode()) <= 64
    assert not set(address) & set(' \t\r\n<>,;:"()[]\\')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Pledgewire <pledgewire@localhost>", NamedAddress("Pledgewire", "pledgewire@localhost")),
        ("notices@example.org", NamedAddress("", "notices@example.org")),
        ('"Señal, S.A." <a@behörde.example>', NamedAddress("Señal, S.A.", "a@xn--behrde-yxa.example")),
        ("Señal, S.A. <a@b.example>", NamedAddress("Señal, S.A.", "a@b.example")),
    ],
)
def test_a_sender_is_a_name_and_an_address(written: str, read: NamedAddress) -> None:
    assert read_mailbox(written, smtputf8=False) == read


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "Pledgewire", "Pledgewire <>", "Pledgewire <a>", "a@b.example, c@d.example", "<a@b.example> x"),
        *("x\r\nBcc: y <a@b.example>", "\u200b <a@b.example>", "jörg@example.org", "=?utf-8?q?x?=@b.example"),
    ],
)
def test_what_no_mail_can_come_from_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        read_mailbox(written, smtputf8=False)
