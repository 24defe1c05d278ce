"""Blocks of addresses that belong to no host of the public network, by IANA's registries, each with its source.

Sources: IANA IPv4 Special-Purpose Address Registry, IPv6 Special-Purpose Address Registry, IPv6 Address Space (only
2000::/3 is global unicast), IPv4 Address Space (224/4). Blocks that are "globally reachable" there are anycast services
of protocols, such as AS112, and no receiver of anybody's messages: they are listed, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPV4_SPECIAL = {
    "0.0.0.0/8": "RFC 791, 3.2: this network",
    "10.0.0.0/8": "RFC 1918: private use",
    "100.64.0.0/10": "RFC 6598: shared address space",
    "127.0.0.0/8": "RFC 1122, 3.2.1.3: loopback",
    "169.254.0.0/16": "RFC 3927: link-local",
    "172.16.0.0/12": "RFC 1918: private use",
    "192.0.0.0/24": "RFC 6890, 2.1: IETF protocol assignments (DS-Lite, NAT64 discovery, PCP and TURN anycast)",
    "192.0.2.0/24": "RFC 5737: documentation",
    "192.31.196.0/24": "RFC 7535: AS112-v4",
    "192.52.193.0/24": "RFC 7450: AMT",
    "192.88.99.0/24": "RFC 7526: deprecated 6to4 relay anycast; RFC 6751: 6a44",
    "192.168.0.0/16": "RFC 1918: private use",
    "192.175.48.0/24": "RFC 7534: direct delegation AS112",
    "198.18.0.0/15": "RFC 2544: benchmarking",
    "198.51.100.0/24": "RFC 5737: documentation",
    "203.0.113.0/24": "RFC 5737: documentation",
    "224.0.0.0/4": "RFC 5771: multicast",
    "240.0.0.0/4": "RFC 1112, 4: reserved; RFC 919: limited broadcast",
}

IPV6_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""RFC 4291, 2.4; IANA IPv6 Address Space: everything else is reserved, private, local or multicast."""

IPV6_SPECIAL = {
    "::/128": "RFC 4291, 2.5.2: unspecified",
    "::1/128": "RFC 4291, 2.5.3: loopback",
    "::/96": "RFC 4291, 2.5.5.1: IPv4-compatible, deprecated",
    "::ffff:0:0/96": "RFC 4291, 2.5.5.2: IPv4-mapped",
    "::ffff:0:0:0/96": "RFC 7915 with RFC 2765, 2.1: IPv4-translated",
    "64:ff9b::/96": "RFC 6052: NAT64, well-known prefix",
    "64:ff9b:1::/48": "RFC 8215: NAT64, local use",
    "100::/64": "RFC 6666: discard only",
    "100:0:0:1::/64": "RFC 9780: dummy prefix",
    "2001::/23": "RFC 2928: IETF protocol assignments (Teredo, benchmarking, AMT, ORCHID, drones)",
    "2001:db8::/32": "RFC 3849: documentation",
    "2002::/16": "RFC 3056: 6to4",
    "2620:4f:8000::/48": "RFC 7534: direct delegation AS112",
    "3fff::/20": "RFC 9637: documentation",
    "5f00::/16": "RFC 9602: segment routing SIDs",
    "fc00::/7": "RFC 4193: unique-local",
    "fe80::/10": "RFC 4291, 2.5.6: link-local",
    "fec0::/10": "RFC 3879: site-local, deprecated",
    "ff00::/8": "RFC 4291, 2.7: multicast",
}


@dataclass(frozen=True)
class Carrier:
    """A block whose addresses stand for IPv4 addresses: `shift` bits to the right of the address they are found."""

    network: IPv6Network
    shift: int

    def carried(self, address: IPv6Address) -> IPv4Address:
        """The IPv4 address in it."""
        return IPv4Address((int(address) >> self.shift) & 0xFFFF_FFFF)


CARRIERS: Sequence[Carrier] = (
    Carrier(IPv6Network("::ffff:0:0/96"), 0),  # how a socket of both families writes IPv4
    Carrier(IPv6Network("64:ff9b::/96"), 0),  # what a resolver gives out in a network without IPv4 (DNS64, RFC 6147)
    Carrier(IPv6Network("2002::/16"), 80),
)
"""Judged by what they carry. All other ways to carry an IPv4 address are refused, whatever it is: compatible and
translated addresses, Teredo and NAT64 of local use lead through tunnels and translators that we can't see."""

_IPV4 = tuple(map(IPv4Network, IPV4_SPECIAL))
_IPV6 = tuple(map(IPv6Network, IPV6_SPECIAL))
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, where it is one of `CARRIERS`."""
    return next((one.carried(address) for one in CARRIERS if address in one.network), None)


def is_public_ipv4(address: IPv4Address) -> bool:
    """Whether an address may be a host's of the public network."""
    return not any(address in block for block in _IPV4)


def is_public_ipv6(address: IPv6Address) -> bool:
    """Whether an address, which stands for no IPv4 address, may be a host's of the public network.

    ISATAP (RFC 5214, 6.1) hides an IPv4 address in the lower half of any prefix: a site's own machine, then.
    """
    if address not in IPV6_GLOBAL_UNICAST or any(address in block for block in _IPV6):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP
