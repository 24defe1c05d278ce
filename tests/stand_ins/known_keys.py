"""API keys that a process knows, without a registry that would have told it of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.plumbing.http.api_key_text import new_key
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings


@dataclass(frozen=True)
class KnownKey:
    """What a process has heard of a key."""

    key_id: str
    sha256: str
    client: str
    roles: tuple[str, ...]
    ministry: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    seq: int = 1


@dataclass(frozen=True)
class KnownKeys:
    """What the process knows, and the keys themselves by their clients."""

    keys: ApiKeys
    texts: Mapping[str, str]

    def __getitem__(self, client: str) -> str:
        return self.texts[client]

    def header(self, client: str) -> dict[str, str]:
        """What a request of this client carries."""
        return {"Authorization": f"Bearer {self.texts[client]}"}


def known_keys(roles: Mapping[str, Sequence[str]], ministries: Mapping[str, str] | None = None) -> KnownKeys:
    """A key for each client, with its roles; some speak for a ministry."""
    made = {client: new_key() for client in roles}
    # The tests of documents show many wrong keys.
    keys = ApiKeys(ApiKeySettings(wrong_per_minute=10_000))
    keys.learn(
        KnownKey(key.id, key.sha256, client, tuple(roles[client]), (ministries or {}).get(client))
        for client, key in made.items()
    )
    return KnownKeys(keys, {client: key.text for client, key in made.items()})
