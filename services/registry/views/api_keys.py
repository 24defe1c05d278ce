"""API keys, as their admins see them: never the key itself, which nobody has, nor its hash."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contracts.vocabulary import MinistryCode, Slug
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.api_keys import KeptKey


class ApiKeyRecord(ResponseModel):
    """A key, by its id."""

    key_id: str
    """The second part of the key: what stands between the first two `_`."""
    client: Slug
    ministry: MinistryCode | None
    roles: tuple[str, ...]
    state: Literal["live", "expired", "revoked"]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    """Null for a key that our own services have agreed on."""
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None
    """At the registry, exact to a minute; what scheduler and notifier have seen, their metrics say."""


class ApiKeyList(ResponseModel):
    """Keys, live and ended, by client and age."""

    items: tuple[ApiKeyRecord, ...]


class NewApiKeyRecord(ApiKeyRecord):
    """A key that was just made."""

    key: Annotated[str | None, Field(description="The key: shown once. Null where the request was heard before.")]


def key_record(key: KeptKey, now: datetime) -> ApiKeyRecord:
    """What is to be seen of a key."""
    return ApiKeyRecord(**_facts(key, now))


def new_key_record(key: KeptKey, now: datetime) -> NewApiKeyRecord:
    """What is kept as the answer to who has made a key: all but the key."""
    return NewApiKeyRecord(**_facts(key, now), key=None)


def _facts(key: KeptKey, now: datetime) -> dict[str, object]:
    facts = {name: getattr(key, name) for name in ApiKeyRecord.model_fields if name != "state"}
    return facts | {"state": key.state(now)}
