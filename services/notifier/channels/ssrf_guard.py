"""Which addresses a delivery may be sent to: public unicast ones, and those that the operator allows.

Asked twice by the same function, `AllowList.permits`: when a subscription is made, for a clear answer, and at every
connect, for the truth; the name may resolve to something else by then. What is public is data: `address_blocks`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

from services.notifier.channels.address_blocks import carried_ipv4, is_public_ipv4, is_public_ipv6
from services.notifier.channels.special_use_names import is_never_public
from services.plumbing.sentences import Sentence

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NUMERIC = re.compile(r"0x[0-9a-f]*|[0-9]+")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
"""A host name in ASCII; a client would decode `%31`, so that is no part of one (RFC 3986, 3.2.2)."""
_SECURE_PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_URL = 2000


class UndeliverableAddress(ValueError):
    """The address can't be delivered to; the message says why and never quotes the address."""


def innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries, or the address itself."""
    return address if isinstance(address, IPv4Address) else carried_ipv4(address) or address


def is_public(address: Address) -> bool:
    """Whether an address is public unicast; what IPv6 carries of IPv4 is judged as IPv4."""
    inner = innermost(address)
    return is_public_ipv4(inner) if isinstance(inner, IPv4Address) else is_public_ipv6(inner)


@dataclass(frozen=True)
class AllowList:
    """What an operator lets through beyond the public network: networks by CIDR, hosts by exact name.

    `mail` says that there is a mail server, `smtputf8` that it takes addresses with letters beyond ASCII before the @
    (RFC 6531).
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    mail: bool = True
    smtputf8: bool = False

    @classmethod
    def of(cls, entries: Iterable[str], *, mail: bool = True, smtputf8: bool = False) -> Self:
        """Read entries such as `10.1.0.0/16`, `127.0.0.1`, `::1` or `hooks.ministry.internal`."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in (e.strip().lower() for e in entries):
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                if entry:
                    hosts.add(entry.rstrip("."))
        return cls(tuple(networks), frozenset(hosts), mail, smtputf8)

    def permits(self, address: Address, host: str = "") -> bool:
        """Whether a connection to `address`, made for the sake of `host`, may be opened."""
        return is_public(address) or self.is_listed(address) or normal_host(host) in self.hosts

    def is_listed(self, address: Address) -> bool:
        """Whether the operator has named the address, in its own form or in the one inside."""
        return any(a in network for network in self.networks for a in {address, innermost(address)})


def normal_host(host: str) -> str:
    """A host name as it is compared: lower case, without the final dot or a literal's brackets."""
    return host.lower().rstrip(".").strip("[]")


def is_host(host: str) -> bool:
    """Whether this is a host as it is compared: a full name in ASCII, or an address."""
    return literal(host) is not None or ("." in host and _NAME.fullmatch(host) is not None)


def literal(host: str) -> Address | None:
    """The address that a host is written as, or None for a name."""
    try:
        return ip_address(normal_host(host))
    except ValueError:
        return None


def checked_url(url: str, allowed: AllowList) -> str:
    """A webhook's URL, rebuilt from its parts; raises `UndeliverableAddress` for one that no delivery may go to.

    https on port 443 or 8443, no user name, no fragment, no name of special use; only hosts that the operator lists may
    use plain http or another port. The scheme's own port is not written (RFC 3986, 6.2.3): both forms are one address.
    """
    if len(url) > LONGEST_URL or not url.isascii() or any(c <= " " or c == "\x7f" or c in '\\"<>^`{|}' for c in url):
        raise UndeliverableAddress(Sentence("the URL has to be plain ASCII without spaces, at most 2,000 characters"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UndeliverableAddress(Sentence("the URL can't be read")) from error
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise UndeliverableAddress(Sentence("the URL has to start with https:// and name a host"))
    if parts.username is not None or parts.password is not None:
        raise UndeliverableAddress(Sentence("the URL may not hold a user name or password"))
    if parts.fragment or "#" in url:
        raise UndeliverableAddress(Sentence("the URL may not have a fragment"))
    if port == 0:
        raise UndeliverableAddress(Sentence("nothing listens on port 0"))
    address = literal(host)
    if "%" in host or (address is None and not _NAME.fullmatch(host)):
        raise UndeliverableAddress(Sentence("the host has to be a name or an ordinary address"))
    listed = normal_host(host) in allowed.hosts or (address is not None and allowed.is_listed(address))
    if not listed:
        if parts.scheme != "https":
            raise UndeliverableAddress(Sentence("the URL has to start with https://"))
        if port is not None and port not in _SECURE_PORTS:
            raise UndeliverableAddress(Sentence("the port has to be 443 or 8443"))
        if address is not None and not allowed.permits(address, host):
            raise UndeliverableAddress(Sentence("the host is not a public address"))
        if address is None and _looks_numeric(host):
            raise UndeliverableAddress(Sentence("the host has to be a name or an ordinary address"))
        if address is None and "." not in normal_host(host):
            raise UndeliverableAddress(Sentence("the host has to be a full name"))
        if address is None and is_never_public(normal_host(host)):
            raise UndeliverableAddress(Sentence("no public host has such a name (RFC 6761)"))
    written = f"[{host}]" if ":" in host else host
    place = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{written}{shown}{place}"


def _looks_numeric(host: str) -> bool:
    # 2130706433, 0x7f.1 and 017700000001 are 127.0.0.1 to a resolver.
    return bool(_NUMERIC.fullmatch(normal_host(host).rsplit(".", 1)[-1]))
