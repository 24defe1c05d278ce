"""Who may make and revoke which API keys, how many a client has, and for how long they hold. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.plumbing.sentences import Sentence
from services.registry.rules.errors import RegistryError, at

Role = Literal["editor", "reporter", "assessor", "subscriber", "operator", "admin", "auditor", "holder"]
"""What a client may do; docs/for-operators.md says what each allows. `holder` is the registry's, at the scheduler."""
ROLES: tuple[Role, ...] = get_args(Role)
MOST_LIVE = 2
"""Keys of one client that are live at once: the one that is used, and the one that takes its place."""
DAYS = 365
"""For how long a key holds where nobody says otherwise."""
MOST_DAYS = 1827
"""Five years."""


class KeyNotAllowed(RegistryError):
    """Nobody makes or ends a key that may do more than their own."""

    kind = "key-not-allowed"
    title = Sentence("Nobody makes or ends a key that may do more than their own")


class TooManyLiveKeys(RegistryError):
    """The client has two live keys already."""

    kind = "too-many-live-keys"
    title = Sentence("The client has two live keys already")


class OtherMinistry(RegistryError):
    """The client speaks for another ministry, or for none."""

    kind = "other-ministry"
    title = Sentence("The client speaks for another ministry, or for none")


@dataclass(frozen=True)
class Issuer:
    """Who makes or ends a key."""

    roles: frozenset[str]
    ministry: str | None
    """Whose keys alone it may make and end; None for everybody's."""


@dataclass(frozen=True)
class WantedKey:
    """What a new key is to be."""

    client: str
    roles: tuple[str, ...]
    ministry: str | None = None
    days: int | None = DAYS
    """For how long it holds; None for a key that our own services have agreed on, which ends when it is changed."""

    def expires_at(self, now: datetime) -> datetime | None:
        """When it ends."""
        return None if self.days is None else now + timedelta(days=self.days)


@dataclass(frozen=True)
class KeptKey:
    """A key as the register keeps it; moments are the machine's."""

    seq: int
    key_id: str
    sha256: str
    client: str
    ministry: str | None
    roles: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> Literal["live", "expired", "revoked"]:
        """Whether it lets anybody in."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "live"


def live_keys(keys: Iterable[KeptKey], now: datetime) -> list[KeptKey]:
    """Those that let somebody in."""
    return [key for key in keys if key.state(now) == "live"]


def check_new_key(issuer: Issuer, wanted: WantedKey, of_client: Sequence[KeptKey], now: datetime) -> None:
    """Raise `KeyNotAllowed`, `OtherMinistry` or `TooManyLiveKeys` for a key that this issuer may not make.

    `of_client` are all keys that the client ever had. What a client owns is known by its name, so a ministry's admin
    can't make a key for somebody else's client.
    """
    more = sorted(set(wanted.roles) - issuer.roles)
    if more:
        raise KeyNotAllowed(
            Sentence("You can't give what you haven't: %(roles)s", roles=", ".join(more)), **at("roles")
        )
    if issuer.ministry and wanted.ministry != issuer.ministry:
        raise KeyNotAllowed(
            Sentence("Your keys are for the ministry %(ministry)s", ministry=issuer.ministry), **at("ministry")
        )
    if of_client and of_client[-1].ministry != wanted.ministry:
        raise OtherMinistry(
            Sentence(
                "The client %(client)s speaks for another ministry, or for none; choose another name",
                client=wanted.client,
            ),
            **at("client"),
        )
    live = live_keys(of_client, now)
    if len(live) >= MOST_LIVE:
        named = " and ".join(key.key_id for key in live)
        raise TooManyLiveKeys(
            Sentence(
                "The client %(client)s has %(keys)s; revoke the one that is not used", client=wanted.client, keys=named
            )
        )


def may_see(issuer: Issuer, key: KeptKey) -> bool:
    """Whether an issuer may know of a key, and end it: of everybody's, or of those of its own ministry."""
    return issuer.ministry is None or key.ministry == issuer.ministry
