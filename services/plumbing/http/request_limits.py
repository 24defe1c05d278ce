"""How many requests somebody may send: by the key that they show, where it is a right one, and else by their address.

One client that asks without end, on purpose or by a loop, leaves the others their share. A key of one's own is counted
alone, whoever else comes from the same address, and a wrong key opens no bucket of its own: it counts for its address.
"""

import math
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from prometheus_client import Counter
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from starlette.datastructures import Headers
from starlette.types import Scope

from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.http.rate_limits import RateLimits, address_name, client_address
from services.plumbing.sentences import Sentence

TOO_MANY_REQUESTS = ProblemKind(429, "too-many-requests", Sentence("Too many requests came from you; wait"))
LIMITED = Counter(
    "pledgewire_requests_limited_total", "Requests that were told to wait, by what they were counted by", ["by"]
)
_AT_ONCE_SECONDS = 10
"""So many seconds' worth of requests may come at once."""

KeyOf = Callable[[str], str | None]
"""The id of the key in an `Authorization` header, None where it is no key that lets anybody in."""


class RequestLimitSettings(BaseSettings):
    """How many requests a second, of each key and of each address that shows none; 0 is without a limit."""

    model_config = SettingsConfigDict(env_prefix="HTTP_")

    requests_per_key: float = Field(default=100, ge=0)
    requests_per_address: float = Field(default=50, ge=0)
    unlimited_from: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1/128"),
    )
    """Networks whose requests aren't counted, separated by commas: the portal, which asks for all its readers."""

    @field_validator("unlimited_from", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())


class RequestLimits:
    """Counts requests, in the memory of one process."""

    def __init__(self, settings: RequestLimitSettings, key_of: KeyOf) -> None:
        self._settings = settings
        self._key_of = key_of
        self._by_key = _limits(settings.requests_per_key)
        self._by_address = _limits(settings.requests_per_address)

    def check(self, scope: Scope, headers: Headers) -> None:
        """Count a request; raises a 429 problem where too many have come of its key, or of its address."""
        client = scope.get("client")
        host = client[0] if client else ""
        if self._is_unlimited(host):
            return
        key_id = self._key_of(headers["authorization"]) if "authorization" in headers else None
        by, limits = ("key", self._by_key) if key_id else ("address", self._by_address)
        if limits is None:
            return
        if wait := limits.count([f"key {key_id}" if key_id else address_name(host)]):
            LIMITED.labels(by).inc()
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(math.ceil(wait))})

    def _is_unlimited(self, host: str) -> bool:
        address = client_address(host)
        return address is not None and any(address in network for network in self._settings.unlimited_from)


def _limits(per_second: float) -> RateLimits | None:
    return RateLimits(per_second * 60, per_second * _AT_ONCE_SECONDS) if per_second else None
