"""Names that the public DNS never answers for, so that no message can be for them, each with its source.

Sources: IANA, Special-Use Domain Names (RFC 6761), without the names of documentation (`example`, `example.org`), which
examples and tests need; ICANN for `internal`. A name stands for all names below it.
"""

SPECIAL_USE = {
    "alt": "RFC 9476: outside of the DNS",
    "arpa": "RFC 3172: the infrastructure of addresses; RFC 8375: home.arpa; RFC 9462: resolver.arpa",
    "internal": "ICANN Board, 29 July 2024 (SAC113): private use; clouds serve credentials under it",
    "invalid": "RFC 6761, 6.4: never a name",
    "local": "RFC 6762: multicast DNS",
    "localhost": "RFC 6761, 6.3: loopback",
    "onion": "RFC 7686: Tor",
    "test": "RFC 6761, 6.2: testing",
}
"""Top-level names: all that the registry reserves stands below one of them, or is for documentation."""


def is_never_public(name: str) -> bool:
    """Whether a host or domain name, in ASCII, is of those that no public server answers for; a last dot may stand."""
    return name.removesuffix(".").lower().rpartition(".")[2] in SPECIAL_USE
