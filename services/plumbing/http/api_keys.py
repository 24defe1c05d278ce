"""Who may call: API keys, kept as hashes in a file that is read again when it changes.

A key is `pw_<client>_<secret>`, the secret 256 random bits; above 112 bits of entropy a plain SHA-256 suffices
(OWASP ASVS 5.0, 6.5.2). The file is JSON: `{"client": {"sha256": "…", "ministry": "mx-sre"|null, "roles": ["…"]}}`.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.http.problems import FORBIDDEN, UNAUTHORIZED, Problem

BEARER = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")
"""The security scheme of all our OpenAPI documents; what it lets through is checked by `ApiKeys`."""

Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


KEY_OR_NOT: Mapping[str, Any] = {"security": [{}, {"api-key": []}]}
"""How the document shows a route that shows more to who has a key."""


class ApiKeySettings(BaseSettings):
    """Where the keys are; without a file nobody may write."""

    model_config = SettingsConfigDict(env_prefix="API_KEYS_")

    file: Path | None = None


@dataclass(frozen=True)
class Caller:
    """Whom a key belongs to."""

    client: str
    ministry: str | None
    roles: frozenset[str]


def new_key(client: str) -> tuple[str, str]:
    """A new key, to be shown once, and the hash to be kept."""
    key = f"pw_{client}_{secrets.token_urlsafe(32)}"
    return key, hash_of(key)


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeys:
    """The keys of the file, as they are now: a removed key is refused at the next request."""

    def __init__(self, settings: ApiKeySettings) -> None:
        self._file = settings.file
        self._seen: tuple[int, int] | None = None
        self._callers: dict[str, Caller] = {}

    def caller(self, *roles: str) -> Callable[..., Caller]:
        """A dependency for FastAPI: the caller, who must have one of the roles."""

        def caller(request: Request, _: Bearer) -> Caller:
            return self.require(request, *roles)

        return caller

    def known(self, request: Request) -> Caller | None:
        """The caller, or None for a request without a key; raises a 401 problem for a wrong one."""
        return self._caller(request) if "authorization" in request.headers else None

    def require(self, request: Request, *roles: str) -> Caller:
        """The caller of this request, who must have one of the roles; raises a 401 or 403 problem otherwise."""
        caller = self._caller(request)
        if caller.roles.isdisjoint(roles):
            named = " or ".join(f"`{role}`" for role in roles)
            raise Problem(FORBIDDEN, title=f"This key has no role {named}")
        return caller

    def _caller(self, request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        caller = self._find(key) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Problem(UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        return caller

    def _find(self, key: str) -> Caller | None:
        self._reload()
        wanted = hash_of(key)
        found = None
        for known, caller in self._callers.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, wanted):
                found = caller
        return found

    def _reload(self) -> None:
        if self._file is None:
            return
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            self._callers, self._seen = {}, None
            return
        if (stat.st_mtime_ns, stat.st_size) != self._seen:
            entries = json.loads(self._file.read_text())
            self._callers = {
                entry["sha256"]: Caller(client, entry.get("ministry"), frozenset(entry["roles"]))
                for client, entry in entries.items()
            }
            self._seen = (stat.st_mtime_ns, stat.st_size)
