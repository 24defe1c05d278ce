"""Where deliveries may go, with the addresses just inside and just outside each border."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.address_blocks import IPV4_SPECIAL, IPV6_GLOBAL_UNICAST, IPV6_SPECIAL
from services.notifier.channels.ssrf_guard import (
    AllowList,
    UndeliverableAddress,
    checked_url,
    innermost,
    is_public,
    literal,
)

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
        ("fec0::1", []),
        ("5f00::1", []),
        ("3fff::1", ["3ffe::1", "3fff:1000::1"]),
        ("::ffff:0:a00:1", []),
        ("::ffff:0:909:909", []),
        ("::909:909", []),
        ("2606:4700::5efe:a00:1", ["2606:4700::5eff:a00:1"]),
        ("2606:4700::200:5efe:909:909", []),
        ("192.88.99.1", ["192.88.98.255", "192.88.100.0"]),
        ("192.0.0.9", ["191.255.255.255", "192.0.1.0"]),
        ("4000::1", []),
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


BLOCKS = [ip_network(block) for block in (*IPV4_SPECIAL, *IPV6_SPECIAL)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_of_the_registries_is_refused_from_its_first_to_its_last_address(block):
    """Those that carry IPv4 are judged by what they carry: their first and last are refused as such."""
    for address in (block[0], block[-1]):
        assert not is_public(address), address


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_just_outside_of_a_block_another_rule_decides(block):
    """What no block has, and is global unicast, is public: the borders are exact to the address."""
    outside = [int(block[0]) - 1, int(block[-1]) + 1]
    for number in outside:
        if not 0 <= number < 2**block.max_prefixlen:
            continue
        address = type(block[0])(number)
        elsewhere = [other for other in BLOCKS if other.version == block.version and address in other]
        if not elsewhere and (block.version == 4 or address in IPV6_GLOBAL_UNICAST):
            assert is_public(address), address
        elif not carried_ipv4_of(address):
            assert not is_public(address), address


def carried_ipv4_of(address):
    return innermost(address) != address


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_special(address):
    """Its table is older and laxer; whatever it refuses is refused here."""
    inner = innermost(address)
    assert not is_public(address) or (inner.is_global and not inner.is_multicast)


def written(address):
    """Ways to write an address as the host of a URL."""
    if address.version == 6:
        return [f"[{address}]", f"[{address.exploded}]", f"[{str(address).upper()}]"]
    number, octets = int(address), str(address).split(".")
    return [
        str(address),
        f"{address}.",
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(int(octet)) for octet in octets),
        ".".join(f"0{int(octet):o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        *(f"[{carrier}]" for carrier in carriers(number)),
        "".join(f"%{ord(character):02x}" for character in str(address)),
    ]


def carriers(number):
    """Every way to write an IPv4 address inside an IPv6 address."""
    return [
        IPv6Address((0xFFFF << 32) | number),  # mapped
        IPv6Address(number),  # compatible
        IPv6Address((0xFFFF << 48) | number),  # translated
        IPv6Address((0x2002 << 112) | (number << 80)),  # 6to4
        IPv6Address((0x2001 << 112) | (number << 64)),  # Teredo server
        IPv6Address((0x2001 << 112) | (number ^ 0xFFFFFFFF)),  # Teredo client
        IPv6Address((0x64FF9B << 96) | number),  # NAT64
        IPv6Address((0x64FF9B0001 << 80) | number),  # NAT64, local use
        IPv6Address((0x26064700 << 96) | (0x5EFE << 32) | number),  # ISATAP
    ]


@given(st.ip_addresses() | st.sampled_from([a for b in BLOCKS for a in (b[0], b[-1])]), st.data())
def test_what_is_refused_at_connect_is_refused_at_creation_however_it_is_written(address, data):
    """The first look can't be less strict than the second, with or without an operator's list."""
    listed = data.draw(st.sampled_from([NOBODY, AllowList.of(["10.1.0.0/16", "fd00::/8", "127.0.0.1"])]))
    host = data.draw(st.sampled_from(written(address)))
    try:
        url = checked_url(f"https://{host}/x", listed)
    except UndeliverableAddress:
        return
    reached = literal(urlsplit(url).hostname or "")
    assert reached is not None, "what is written as an address is not taken for a name"
    assert listed.permits(reached, urlsplit(url).hostname or "")


@given(st.ip_addresses(v=4).filter(lambda address: not is_public(address)))
def test_no_carrier_makes_an_inside_address_public(address):
    for carrier in carriers(int(address)):
        assert not is_public(carrier), carrier


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
        "https://example.org:0/",
        "https://example.org:00000/",
        "https://9.9.9.9:0/",
        "https://[2606:4700::1111]:0/",
        "https://a.localhost/",
        "https://A.Local./",
        "https://hooks.ministry.internal/",
        "https://metadata.google.internal/",
        "https://router.home.arpa/",
        "https://1.0.0.10.in-addr.arpa/",
        "https://a.invalid/",
        "https://a.test/",
        "https://a.alt/",
        "https://a.onion:8443/",
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
        "https://127.0.0.%31/",
        "https://%31%32%37.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[fec0::1]/x",
        "https://[5f00::1]/x",
        "https://[::ffff:0:10.0.0.1]/",
        "https://127.0.0.1./",
        "https://127.0.0.1../",
        "https://example..org/",
        "https://-example.org/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://example.org.0x7f/",
        "https://1.1/",
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
        ("https://example.org:443/x", "https://example.org/x"),
        ("https://example.org:00443/x", "https://example.org/x"),
        ("https://example.org:/x", "https://example.org/x"),
        ("https://local.example/x", "https://local.example/x"),
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
    assert checked_url("https://a.internal/", AllowList.of(["a.internal"])) == "https://a.internal/"
    assert checked_url("http://127.0.0.1:80/", AllowList.of(["127.0.0.1"])) == "http://127.0.0.1/"
    assert checked_url("http://127.0.0.1:443/", AllowList.of(["127.0.0.1"])) == "http://127.0.0.1:443/"
    with pytest.raises(UndeliverableAddress):
        checked_url("http://127.0.0.1:0/hook", AllowList.of(["127.0.0.1"]))
