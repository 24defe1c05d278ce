"""Who is on the list of a trial: what may be entered, and whom it lets through."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.trial_addresses import TrialAddresses, checked_entry, masked_entry

# Fixed: they stand in the names of cases, which every worker of a run has to know alike.
ME, OTHER = UUID("5f0c5b0e-6a57-4c0c-9e0c-2a6f7a1f4d10"), UUID("c3a1d0b2-71b5-4f0a-8e43-9d3f6f6f2b61")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ana@SRE.example", "ana@sre.example"),
        (" @sre.example ", "@sre.example"),
        ("@México.example", "@xn--mxico-bsa.example"),
        ("Hooks.Ministry.Example.", "hooks.ministry.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        (str(ME).upper(), str(ME)),
    ],
)
def test_an_entry_is_kept_in_one_form(written: str, kept: str) -> None:
    assert checked_entry(written) == kept
    assert checked_entry(kept) == kept


@pytest.mark.parametrize(
    "written",
    [
        *("", "@", "ana@", "a@b@c", "localhost", "*", "*.example.org", "@*", "10.0.0.0/8"),
        "https://hooks.slack.com/services/T0/B0/secret",
        *("hooks.slack.com", "tenant.webhook.office.com", "discord.com"),
    ],
)
def test_what_is_no_address_or_a_secret_or_everybodys_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(ValueError) as refused:
        checked_entry(written)
    assert "secret/" not in str(refused.value) and "B0" not in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "channel", "address", "is_told"),
    [
        ("ana@sre.example", "email", "Ana@sre.example", True),
        ("ana@sre.example", "email", "ana@gac.example", False),
        ("ana@sre.example", "email", "ana@sre.example.org", False),
        ("@sre.example", "email", "anybody@SRE.example", True),
        ("@sre.example", "email", "ana@sub.sre.example", False),
        ("@sre.example", "email", "sre.example@gac.example", False),
        ("hooks.sre.example", "webhook", "https://hooks.sre.example:8443/x", True),
        ("hooks.sre.example", "webhook", "https://hooks.sre.example.evil.example/x", False),
        ("hooks.sre.example", "webhook", "https://evil.example/hooks.sre.example", False),
        ("hooks.sre.example", "slack", "https://hooks.sre.example/x", True),
        ("2001:db8::1", "webhook", "https://[2001:db8::1]/x", True),
        ("sre.example", "email", "ana@sre.example", False),
        (str(ME), "slack", "https://hooks.slack.com/services/T0/B0/secret", True),
        (str(OTHER), "slack", "https://hooks.slack.com/services/T0/B0/secret", False),
        (str(ME), "carrier-pigeon", "coop 7", True),
        ("ana@sre.example", "carrier-pigeon", "ana@sre.example", False),
    ],
)
def test_an_entry_lets_through_what_it_names_and_nothing_beside_it(
    entry: str, channel: str, address: str, is_told: bool
) -> None:
    assert TrialAddresses.of([checked_entry(entry)]).permits(ME, channel, address) is is_told


def test_an_empty_list_lets_nobody_through() -> None:
    assert not TrialAddresses.of([]).permits(ME, "email", "ana@sre.example")


@given(st.text(max_size=40), st.sampled_from(["email", "webhook", "slack", "teams"]), st.text(max_size=60))
def test_no_text_is_worse_than_refused_and_nothing_strange_gets_through(entry: str, channel: str, address: str) -> None:
    try:
        kept = checked_entry(entry)
    except ValueError:
        return
    assert checked_entry(kept) == kept
    listed = TrialAddresses.of([kept])
    if listed.permits(UUID(int=0), channel, address):
        assert kept.lstrip("@") in address.casefold()


def test_logs_show_a_mailbox_without_its_person() -> None:
    assert "ana" not in masked_entry("ana@sre.example")
    assert masked_entry("@sre.example") == "@sre.example"
