"""Who may call: API keys, of which a process holds ids and hashes in its memory and learns each change.

The registry owns them. It reads its table; the other services follow its topic. While neither can be heard, what is
known goes on to hold for `API_KEYS_LONGEST_SILENCE` seconds, an hour as it is set; then nobody is let in by a key, and
is answered 503, not 401.
"""

import hmac
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter, Gauge
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.audit.entries import Actor
from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.http.api_key_text import hash_of, key_id_of
from services.plumbing.http.problems import FORBIDDEN, UNAUTHORIZED, UNAVAILABLE, Problem, ProblemKind
from services.plumbing.http.rate_limits import RateLimits, address_name
from services.plumbing.sentences import Sentence

BEARER = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<key id>_<secret>_<checksum>`")
"""The security scheme of all our OpenAPI documents; what it lets through is checked by `ApiKeys`."""

Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


KEY_OR_NOT: Mapping[str, Any] = {"security": [{}, {"api-key": []}]}
"""How the document shows a route that shows more to who has a key."""
TOO_MANY_WRONG_KEYS = ProblemKind(429, "too-many-wrong-keys", Sentence("Too many wrong keys came from here; wait"))
"""What the door answers in place of a 401 to who has tried too often."""
EXPIRES = "Pledgewire-Key-Expires"
"""The header of an answer that says when the key ends, in the last `NEAR` of its time."""
NEAR = timedelta(days=30)
UNHEARD_SECONDS = 12
"""Seconds without a word of keys after which a service isn't ready; at rest there is one every eight."""
BETWEEN_USES = timedelta(minutes=1)
"""So exactly is it known when a key was last used."""
USED_AT = Gauge(
    "pledgewire_api_key_last_used_seconds", "When this process last let a key in, in seconds of Unix time", ["key_id"]
)
WRONG = Counter("pledgewire_api_keys_refused_total", "Requests with a key that was not let in")
_NO_HASH = "0" * 64


class ApiKeySettings(BaseSettings):
    """How long keys hold without news of them, and how many wrong ones somebody may show."""

    model_config = SettingsConfigDict(env_prefix="API_KEYS_")

    longest_silence: float = Field(default=3600, ge=10)
    """Seconds for which known keys hold while nothing is heard of them."""
    wrong_per_minute: int = Field(default=30, ge=1)
    """Of each address, and of each key id."""


class KeyFacts(Protocol):
    """What is known of a key; moments are the machine's."""

    @property
    def seq(self) -> int:
        """Counts what became known of this key."""
        ...

    @property
    def key_id(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def client(self) -> str: ...
    @property
    def ministry(self) -> str | None: ...
    @property
    def roles(self) -> Iterable[str]: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Caller:
    """Whom a key belongs to."""

    client: str
    ministry: str | None
    roles: frozenset[str]
    key_id: str | None = None
    """By which of the client's keys it is known."""

    @property
    def actor(self) -> Actor:
        """Who it is, as the audit log says it."""
        return Actor(self.client, self.ministry, self.key_id)


class ApiKeys:
    """The keys that this process knows. Nothing here waits for anybody: no request is slower for a look-up."""

    silence: Callable[[], float] = staticmethod(lambda: 0.0)
    """For how many seconds nothing was heard of keys; infinitely long before all are known. It is set by who tells."""

    def __init__(self, settings: ApiKeySettings, clock: Clock = MACHINE_CLOCK) -> None:
        self._settings = settings
        self._clock = clock
        self._known: dict[str, KeyFacts] = {}
        self._used: dict[str, datetime] = {}
        self._fresh: dict[str, datetime] = {}
        # A key that is right is let in whatever others have tried: with 256 random bits nobody guesses one, and whoever
        # knows the id of a key, or stands behind the same proxy, must not be able to lock its owner out.
        self._limits = RateLimits(settings.wrong_per_minute)

    def learn(self, keys: Iterable[KeyFacts]) -> None:
        """Take up what became known; older news of a key than is known already is passed over."""
        for key in keys:
            known = self._known.get(key.key_id)
            if known is None or known.seq <= key.seq:
                self._known[key.key_id] = key

    def ministry_of(self, client: str) -> str | None:
        """The ministry for which a client speaks; None where its live keys say none, or not the same."""
        said = {key.ministry for key in self._known.values() if key.client == client and not key.revoked_at}
        return said.pop() if len(said) == 1 else None

    def facts(self) -> dict[str, Any]:
        """For `/readyz`: how many keys are known, revoked ones among them, and for how long nothing was heard."""
        silence = self.silence()
        return {"known": len(self._known), "seconds_unheard": round(silence, 1) if math.isfinite(silence) else None}

    async def check(self) -> str | None:
        """For `/readyz`: whether all keys are known, and what was heard of them is new."""
        silence = self.silence()
        if not math.isfinite(silence):
            return "not all API keys have been read yet"
        if silence > UNHEARD_SECONDS:
            longest = self._settings.longest_silence
            return f"nothing heard of API keys for {silence:.0f} s; what is known holds for {longest:.0f} s"
        return None

    def take_uses(self) -> dict[str, datetime]:
        """By key id, when keys were used since this was last asked; exact to `BETWEEN_USES`."""
        used, self._fresh = self._fresh, {}
        return used

    def caller(self, *roles: str) -> Callable[..., Awaitable[Caller]]:
        """A dependency for FastAPI: the caller, who must have one of the roles."""

        async def caller(request: Request, _: Bearer) -> Caller:
            return self.require(request, *roles)

        return caller

    def known(self, request: Request) -> Caller | None:
        """The caller, or None for a request without a key; raises a 401 problem for a wrong one."""
        return self._caller(request) if "authorization" in request.headers else None

    def require(self, request: Request, *roles: str) -> Caller:
        """The caller of this request, who must have one of the roles.

        Raises a 401 or 403 problem otherwise, 429 for who has shown too many wrong keys, and 503 while it can't be
        known whose a key is.
        """
        caller = self._caller(request)
        if caller.roles.isdisjoint(roles):
            named = ", ".join(f"`{role}`" for role in roles)
            raise Problem(FORBIDDEN, title=Sentence("This key has none of these roles: %(roles)s", roles=named))
        return caller

    def key_of(self, authorization: str) -> str | None:
        """The id of the key that a header shows; None where it lets nobody in."""
        _, known = self._found(authorization, self._clock.now())
        return known.key_id if known else None

    def _caller(self, request: Request) -> Caller:
        given = request.headers.get("authorization", "")
        if not given:
            raise _unauthorized()
        if self.silence() > self._settings.longest_silence:
            raise Problem(UNAVAILABLE, Sentence("It can't be known now whose this key is"), {"Retry-After": "5"})
        now = self._clock.now()
        key_id, known = self._found(given, now)
        if known is None:
            raise self._refused(request, key_id)
        self._note_use(request, known, now)
        caller = Caller(known.client, known.ministry, frozenset(known.roles), known.key_id)
        request.state.caller = caller  # so that it can be noted who was refused something
        return caller

    def _found(self, authorization: str, now: datetime) -> tuple[str | None, KeyFacts | None]:
        """The id that a header names, if it has the form of a key, and the key, if that is right and holds."""
        scheme, _, text = authorization.partition(" ")
        key_id = key_id_of(text) if scheme.lower() == "bearer" else None
        known = self._known.get(key_id or "")
        # Compared whether or not there is such a key, so that the time tells nothing.
        is_right = hmac.compare_digest(known.sha256 if known else _NO_HASH, hash_of(text))
        if known is None or not is_right or known.revoked_at or (known.expires_at and known.expires_at <= now):
            return key_id, None
        return key_id, known

    def _refused(self, request: Request, key_id: str | None) -> Problem:
        """One answer to all: not whether there is such a key, nor what is wrong with it."""
        WRONG.inc()
        names = [address_name(request.client.host)] if request.client else []
        wait = self._limits.count([*names, *([f"key {key_id}"] if key_id else [])])
        if wait:
            return Problem(TOO_MANY_WRONG_KEYS, headers={"Retry-After": str(math.ceil(wait))})
        return _unauthorized()

    def _note_use(self, request: Request, known: KeyFacts, now: datetime) -> None:
        if known.expires_at and known.expires_at - now < NEAR:
            headers: list[tuple[str, str]] = getattr(request.state, "answer_headers", [])
            headers.append((EXPIRES, f"{known.expires_at:%Y-%m-%dT%H:%M:%SZ}"))
        used = self._used.get(known.key_id)
        if used is None or now - used >= BETWEEN_USES:
            self._used[known.key_id] = self._fresh[known.key_id] = now
            USED_AT.labels(known.key_id).set(now.timestamp())


def _unauthorized() -> Problem:
    return Problem(UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
