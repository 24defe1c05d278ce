"""A listener that other machines reach: where it listens, by which addresses it is reached, whose certificate it shows.

Beside the one on the loopback interface, and only where an operator names all of it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

NETWORK_THREADS = 2  # of a broker, for each of its listeners
ASKED_WRONGLY = 2  # the exit status for settings that make no sense
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True)
class Address:
    """A host, by its name or IPv4 address, and a port."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Address:
        """From `host:port`; raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("write host:port, the port between 1 and 65535")
        if not _is_ipv4(host) and (re.fullmatch(r"[0-9.]+", host) or not _is_name(host)):
            raise ValueError(f"{host!r} is neither a host's name nor an IPv4 address")
        return cls(host, int(port))

    def of_broker(self, index: int) -> Address:
        """The address of the broker `index` of a cluster whose first has this one: the ports follow each other."""
        return Address(self.host, self.port + index)

    def __str__(self) -> str:
        """As Kafka writes it."""
        return f"{self.host}:{self.port}"


def _is_name(host: str) -> bool:
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class TlsListener:
    """SASL_SSL for clients elsewhere. Of several brokers each listens one port further than the one before."""

    listen: Address
    """The interface and port of the first broker; 0.0.0.0 for all interfaces."""
    advertised: Address
    """Where clients reach the first broker: what the certificate is for."""
    certificate: Path
    """PEM: the listener's own certificate, then what it takes to get from there to the authority's."""
    key: Path
    """PEM, without a passphrase."""

    @classmethod
    def named(cls, listen: str, advertised: str, certificate: Path, key: Path) -> TlsListener:
        """From what an operator writes; raises EmbeddedError for an address that can't be."""
        try:
            inside = Address.read(listen)
            if not _is_ipv4(inside.host):
                raise ValueError(f"{inside.host!r} is no IPv4 address of this machine")
        except ValueError as error:
            raise EmbeddedError(
                f"Kafka can't listen on {listen!r}: {error}",
                "name an address of this machine and a port: 0.0.0.0:9093 for all interfaces",
                ASKED_WRONGLY,
            ) from None
        try:
            outside = Address.read(advertised)
            if _is_ipv4(outside.host) and not _can_be_reached(outside.host):
                raise ValueError(f"nobody reaches a machine at {outside.host}")
        except ValueError as error:
            raise EmbeddedError(
                f"{advertised!r} can't be advertised: {error}",
                "name the address by which clients reach this machine, as kafka.example.org:9093",
                ASKED_WRONGLY,
            ) from None
        return cls(inside, outside, certificate, key)

    def check_free(self, brokers: int) -> None:
        """Raise EmbeddedError where one of the brokers could not listen."""
        if max(self.listen.port, self.advertised.port) + brokers - 1 > 65535:
            raise EmbeddedError(
                f"{brokers} brokers need as many ports from {self.listen} on", "name a lower port", ASKED_WRONGLY
            )
        for index in range(brokers):
            address = self.listen.of_broker(index)
            with socket.socket() as probe:
                # As the broker does it: connections that are still winding down don't count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address.host, address.port))
                    probe.listen(1)
                except OSError as error:
                    raise EmbeddedError(
                        f"Kafka can't listen on {address}: {error.strerror}",
                        "see what listens there (ss -ltnp) and which addresses this machine has (ip address)",
                    ) from error

    def wait_until_shown(self, index: int, keystore: str) -> None:
        """Return once a broker shows the first certificate of a keystore: it reads it some time after it is told to.

        Raises EmbeddedError after ten seconds.
        """
        wanted = "-----BEGIN CERT" + keystore.partition("-----BEGIN CERT")[2].partition("-----BEGIN CERT")[0]
        host, port = self.listen.host, self.listen.of_broker(index).port
        address = ("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104 - told apart, not bound
        seen = 0
        for _ in range(100):
            # Connections go to the broker's threads in turn, and each thread reads the keystore for itself.
            seen = seen + 1 if ssl.get_server_certificate(address, timeout=5).split() == wanted.split() else 0
            if seen == 2 * NETWORK_THREADS:
                return
            if not seen:
                time.sleep(0.1)
        raise EmbeddedError(
            f"Kafka still shows its old certificate at {address[0]}:{port}", "read its log, then start again"
        )


def _can_be_reached(host: str) -> bool:
    address = ipaddress.IPv4Address(host)
    return not (address.is_unspecified or address.is_multicast or address == ipaddress.IPv4Address("255.255.255.255"))
