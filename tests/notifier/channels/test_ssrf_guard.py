"""Where deliveries may go, with the addresses just inside and just outside each border."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.ssrf_guard import AllowList, UndeliverableAddress, checked_url, innermost, is_public

NOBODY = AllowList()


@pytest.mark.parametrize(
    ("inside", "neighbours"),
    [
        ("0.0.0.0", ["1.0.0.0"]),
        ("10.0.0.0", ["9.255.255.255"]),
        ("10.255.255.255", ["11.0.0.0"]),
        ("100.64.0.0", ["100.63.255.255"]),
        ("100.127.255.255", ["100.128.0.0"]),
        ("127.0.0.1", ["126.255.255.255", "128.0.0.0"]),
        ("169.254.0.0", ["169.253.255.255"]),
        ("169.254.169.254", ["169.255.0.0"]),
        ("172.16.0.0", ["172.15.255.255"]),
        ("172.31.255.255", ["172.32.0.0"]),
        ("192.168.0.0", ["192.167.255.255"]),
        ("192.168.255.255", ["192.169.0.0"]),
        ("198.18.0.0", ["198.17.255.255"]),
        ("198.19.255.255", ["198.20.0.0"]),
        ("224.0.0.1", ["223.255.255.255"]),
        ("255.255.255.255", []),
        ("::", []),
        ("::1", []),
        ("::7f00:1", []),
        ("fc00::", []),
        ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []),
        ("fe80::1", []),
        ("ff02::1", []),
        ("2001:db8::1", ["2001:db7:ffff::1"]),
        ("::ffff:127.0.0.1", ["::ffff:128.0.0.1"]),
        ("::ffff:10.0.0.1", ["::ffff:9.9.9.9"]),
        ("64:ff9b::a00:1", ["64:ff9b::909:909"]),
        ("64:ff9b:1::a00:1", []),
        ("64:ff9b:1::909:909", []),
        ("2002:7f00:1::", ["2002:909:909::"]),
        ("2002:c0a8:1::1", []),
        ("2001:0:909:909:0:0:f6f5:f6f5", []),
    ],
)
def test_inside_is_refused_and_the_neighbour_is_not(inside: str, neighbours: list[str]):
    assert not is_public(ip_address(inside))
    for neighbour in neighbours:
        assert is_public(ip_address(neighbour)), neighbour


@given(st.ip_addresses(v=4))
def test_what_carries_an_ipv4_address_is_judged_as_that(address):
    number = int(address)
    carriers = [
        f"::ffff:{address}",
        ip_address((0x64FF9B << 96) | number),
        ip_address((0x2002 << 112) | (number << 80)),
    ]
    for carrier in map(ip_address, carriers):
        assert innermost(carrier) == address
        assert is_public(carrier) == is_public(address)


def test_the_operator_lets_networks_and_hosts_through():
    allowed = AllowList.of(["127.0.0.0/8", "fd00::/8", " Hooks.Ministry.internal. ", ""])

    assert allowed.permits(ip_address("127.0.0.1"))
    assert allowed.permits(ip_address("::ffff:127.0.0.1"))
    assert allowed.permits(ip_address("fd00::1"))
    assert not allowed.permits(ip_address("10.0.0.1"), "elsewhere.internal")
    assert allowed.permits(ip_address("10.0.0.1"), "hooks.ministry.internal")
    assert not NOBODY.permits(ip_address("127.0.0.1"), "hooks.ministry.internal")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "https:///hook",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://example.org/#",
        "https://example.org:22/",
        "https://example.org:9092/",
        "https://example.org:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://localhost/",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: inside",
        "https://exämple.org/",
        "https://example.org\\@inside/",
        "https://example.org/" + "x" * 2000,
    ],
)
def test_a_url_that_nothing_may_be_posted_to(url: str):
    with pytest.raises(UndeliverableAddress) as caught:
        checked_url(url, NOBODY)

    assert url not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "rebuilt"),
    [
        ("https://Example.org", "https://example.org/"),
        ("https://example.org/a/b?c=d&e", "https://example.org/a/b?c=d&e"),
        ("https://example.org:8443/x", "https://example.org:8443/x"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
        ("https://9.9.9.9/x", "https://9.9.9.9/x"),
    ],
)
def test_a_url_is_rebuilt_from_its_parts(url: str, rebuilt: str):
    assert checked_url(url, NOBODY) == rebuilt


def test_a_listed_host_may_be_plain_and_on_any_port():
    assert checked_url("http://127.0.0.1:8025/hook", AllowList.of(["127.0.0.1"])) == "http://127.0.0.1:8025/hook"
    assert checked_url("http://localhost:8025/hook", AllowList.of(["localhost"])) == "http://localhost:8025/hook"
    with pytest.raises(UndeliverableAddress):
        checked_url("http://127.0.0.2:8025/hook", AllowList.of(["127.0.0.1"]))
