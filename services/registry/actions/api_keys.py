"""API keys: made, taken over and ended, each with the event that tells the other services."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts.envelope import Envelope, to_record
from contracts.events import ApiKeyChanged
from contracts.majors import said_later
from contracts.topics import API_KEY_CHANGED
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.outbox import Outgoing, append, take_seqs
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import audit_change
from services.registry.actions.events import ActionContext, read_outgoing
from services.registry.rules.api_keys import Issuer, KeptKey, WantedKey, check_new_key, live_keys, may_see
from services.registry.rules.errors import Invalid, ResourceNotFound, at
from services.registry.store.api_keys import find_key, keys_of, lock_client, put_key
from services.registry.store.ministries import find_ministries


async def issue_key(
    database: Database,
    connection: Connection,
    wanted: WantedKey,
    issuer: Issuer,
    made: tuple[str, str],
    context: ActionContext,
) -> KeptKey:
    """Enter a key of which `made` has the id and the hash; who has the key itself, this doesn't know.

    Raises `KeyNotAllowed`, `OtherMinistry`, `TooManyLiveKeys`, and `Invalid` for a ministry that there is not.
    """
    now = by_machine(context)
    await lock_client(connection, wanted.client)
    check_new_key(issuer, wanted, await keys_of(connection, wanted.client), now)
    if wanted.ministry and wanted.ministry not in await find_ministries(connection, [wanted.ministry]):
        raise Invalid(Sentence("There is no ministry %(code)s", code=wanted.ministry), **at("ministry"))
    key_id, sha256 = made
    key = KeptKey(
        seq=1,
        key_id=key_id,
        sha256=sha256,
        client=wanted.client,
        ministry=wanted.ministry,
        roles=wanted.roles,
        created_at=now,
        created_by=context.client,
        expires_at=wanted.expires_at(now),
    )
    return await change_key(database, connection, None, key, context)


async def revoke_key(
    database: Database, connection: Connection, key_id: str, issuer: Issuer, context: ActionContext
) -> KeptKey:
    """End a key for good; one that has ended stays as it is. Raises `ResourceNotFound`, for keys of others too."""
    found = await find_key(connection, key_id)
    if found is None or not may_see(issuer, found):
        raise ResourceNotFound(Sentence("There is no such key"))
    await lock_client(connection, found.client)
    key = await find_key(connection, key_id) or found
    if key.revoked_at:
        return key
    ended = replace(key, revoked_at=by_machine(context), revoked_by=context.client)
    return await change_key(database, connection, key, ended, context)


async def make_room(database: Database, connection: Connection, client: str, context: ActionContext, left: int) -> None:
    """Revoke a client's live keys but for so many, the newest."""
    await lock_client(connection, client)
    live = live_keys(await keys_of(connection, client), by_machine(context))
    for key in live[: len(live) - left]:
        ended = replace(key, revoked_at=by_machine(context), revoked_by=context.client)
        await change_key(database, connection, key, ended, context)


async def change_key(
    database: Database, connection: Connection, before: KeptKey | None, after: KeptKey, context: ActionContext
) -> KeptKey:
    """Every change of a key goes through here: its row, and the event, in the caller's transaction.

    `before` is None for a new key. Gives the key with the number of its event.
    """
    [seq] = await take_seqs(connection, API_KEY_CHANGED.name, [after.key_id])
    key = replace(after, seq=seq)
    await put_key(connection, key)
    event = ApiKeyChanged(
        seq=seq,
        key_id=key.key_id,
        sha256=key.sha256,
        client=key.client,
        ministry=key.ministry,
        roles=key.roles,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
    envelope = Envelope(
        id=new_id(),
        time=key.revoked_at or key.created_at,
        subject=key.key_id,
        correlation_id=context.correlation_id,
        traceparent=context.traceparent,
    )
    record = to_record(event, envelope)
    outgoing = Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
    await append(database, connection, [outgoing], context.now, said_later)
    action = "api-key.revoked" if key.revoked_at else "api-key.changed" if before else "api-key.issued"
    told = _facts(before) if before else None
    await audit_change(connection, context, action, f"api-key/{key.key_id}", told, _facts(key))
    return key


def _facts(key: KeptKey) -> dict[str, Any]:
    """A key as the audit log says it; its hash says nothing that anybody could use, and proves which key it was."""
    return {
        "client": key.client,
        "ministry": key.ministry,
        "roles": sorted(map(str, key.roles)),
        "sha256": key.sha256,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


async def take_over_key(connection: Connection, one: Outgoing) -> None:
    """What the topic knows of a key and an old backup does not: a revoked key stays revoked."""
    _, event = read_outgoing(ApiKeyChanged, one)
    known = await find_key(connection, event.key_id)
    if known is None or known.seq < event.seq:
        facts = {name: getattr(event, name) for name in ApiKeyChanged.model_fields}
        await put_key(connection, KeptKey(**facts, created_by=known.created_by if known else "taken-over"))


def by_machine(context: ActionContext) -> datetime:
    """Now, for keys: business time may be set to the past."""
    return context.machine_now or context.now
