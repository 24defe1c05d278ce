"""Personal values in the audit log: only as keyed hashes, so that nobody can read them there, nor guess them.

Who has the key can still tell whether two entries are about the same address. Erasing an address from the tables leaves
nothing of it in the log, and breaks no chain; doing away with the key makes the hashes say nothing to anybody.
"""

import hashlib
import hmac
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AuditHashSettings(BaseSettings):
    """What personal values are hashed with."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_", env_ignore_empty=True)

    hash_key: SecretStr | None = Field(default=None, min_length=32)
    """32 characters or more; without it the log says of a personal value only that there was one."""


class KeyedHash:
    """Makes of a personal value what the log may hold (HMAC-SHA-256, RFC 2104)."""

    def __init__(self, key: str | None = None) -> None:
        self._key = key.encode() if key else None
        self.key_id = hashlib.sha256(b"pledgewire audit key\n" + self._key).hexdigest()[:12] if self._key else None

    @classmethod
    def from_settings(cls, settings: AuditHashSettings) -> Self:
        """With the key of the settings."""
        return cls(settings.hash_key.get_secret_value() if settings.hash_key else None)

    def of(self, value: str | None) -> dict[str, str | bool] | None:
        """The value's hash and which key made it; None stays None. Without a key: that there was one."""
        if value is None:
            return None
        if self._key is None or self.key_id is None:
            return {"withheld": True}
        return {"hmac_sha256": hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest(), "key": self.key_id}


WITHHELD = KeyedHash()
"""Where no key is set."""
