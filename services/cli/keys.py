"""`pledgewire keys`: made, listed, rotated and revoked, over the registry's HTTP interface.

The first key, or one in place of those that were lost, is written into the database that DATABASE_URL names: whoever
has its password may do everything anyway.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import (
    ASKED_WRONGLY,
    NOT_FOUND,
    CommandClient,
    Refusal,
    acting_once,
    print_json,
    segment,
)

if TYPE_CHECKING:
    from services.plumbing.http.api_key_text import MadeKey

keys = typer.Typer(help="API keys: who may call, and as what.", no_args_is_help=True)

DAYS = 365
LOCAL = "http://127.0.0.1:8401"
SOON = 30
"""Days before its end in which a key is shown as one that ends soon."""
Client = Annotated[str, typer.Argument(help="Whom the key is for: lower case, digits, hyphens.")]
KeyId = Annotated[
    str, typer.Argument(metavar="KEY_ID", help="Its id: the second part of the key, as `keys list` shows it.")
]
Url = Annotated[str, typer.Option(envvar="REGISTRY_URL", help="Where the registry answers.")]
Key = Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role admin.")]
Days = Annotated[int, typer.Option(help="For how long it holds.")]
ThroughDatabase = Annotated[
    bool,
    typer.Option("--database", help="Straight through DATABASE_URL: the first key, or after all were lost."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@dataclass(frozen=True)
class ApiClient:
    """Somebody who gets an API key; `ministry` is whom it speaks for."""

    name: str
    roles: tuple[str, ...]
    ministry: str | None = None


@keys.command("add")
def keys_add(
    client: Client,
    role: Annotated[
        list[str],
        typer.Option(help="As editor, reporter, assessor, auditor or admin; repeat it for several."),
    ],
    *,
    ministry: Annotated[str | None, typer.Option(help="The code of the ministry that it speaks for.")] = None,
    days: Days = DAYS,
    known: Annotated[
        str | None,
        typer.Option("--from", help="The environment variable that holds a key which is agreed already; --database."),
    ] = None,
    database: ThroughDatabase = False,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    wanted = ApiClient(client, tuple(role), ministry)
    _check(wanted)
    body = {"client": client, "roles": sorted(set(role)), "ministry": ministry, "days": days}
    if database or known:
        from services.cli.platform import database_url

        agreed = None if known is None else _agreed(known)
        text = asyncio.run(issue_keys(database_url(), [wanted], days=days, made=agreed))[client]
        # What was agreed its holders have already, and nobody else is to see it.
        made = body if agreed else body | {"key": text}
    else:
        made = _made(_registry(url, key), body)
    if json:
        print_json(made)
    elif "key" in made:
        typer.echo(made["key"])


@keys.command("list")
def keys_list(
    *,
    client: Annotated[str | None, typer.Option(help="Of this client alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Keys by their ids: whose, what they may do, until when, and when they were last used."""
    found = _registry(url, key).ask("GET", "/keys", params={"client": client} if client else {})
    items = [one for one in found["items"] if everything or one["state"] == "live"]
    if json:
        print_json({"items": items})
        return
    for one in items:
        typer.echo(_line(one, datetime.now(UTC)))


@keys.command("revoke")
def keys_revoke(
    key_id: KeyId, *, database: ThroughDatabase = False, url: Url = LOCAL, key: Key = "", json: AsJson = False
) -> None:
    """Revoke a key for good: within five seconds no service lets it in."""
    if database:
        from services.cli.platform import database_url

        asyncio.run(_revoke(database_url(), key_id))
        ended, line = {"key_id": key_id, "state": "revoked"}, f"{key_id}  revoked"
    else:
        ended = _ended(_registry(url, key), key_id)
        line = _line(ended, datetime.now(UTC))
    if json:
        print_json(ended)
    else:
        typer.echo(line)


@keys.command("rotate")
def keys_rotate(
    client: Client,
    *,
    days: Days = DAYS,
    revoke_old: Annotated[bool, typer.Option("--revoke-old", help="End the client's other keys at once.")] = False,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Make a key like the client's newest and print it; the old one holds on until it is revoked."""
    registry = _registry(url, key)
    items = registry.ask("GET", "/keys", params={"client": client})["items"]
    live = [one for one in items if one["state"] == "live"]
    if not items:
        raise EmbeddedError(f"{client} has never had a key", "`pledgewire keys add` makes one", ASKED_WRONGLY)
    if revoke_old and len(live) > 1:
        for old in live[:-1]:
            _ended(registry, old["key_id"])
    body = {name: items[-1][name] for name in ("client", "roles", "ministry")} | {"days": days}
    made = _made(registry, body)
    if json:
        print_json(made)
    else:
        typer.echo(made["key"])
    if revoke_old and live:
        _ended(registry, live[-1]["key_id"])
    elif live:
        typer.echo(f"{live[-1]['key_id']} still holds; `pledgewire keys revoke {live[-1]['key_id']}` ends it", err=True)


async def issue_keys(
    database_url: str, clients: Sequence[ApiClient], *, days: int = DAYS, made: "MadeKey | None" = None
) -> dict[str, str]:
    """Write a new key for each client straight into the database, in place of its older ones but the newest.

    `made` is a key that is agreed already, which then holds until it is changed. By the client, the keys. Raises
    EmbeddedError for a name or a role that can't be, and `RegistryError`.
    """
    from services.cli.registry_database import registry_transaction
    from services.plumbing.http.api_key_text import new_key
    from services.registry.actions.api_keys import issue_key, make_room
    from services.registry.rules.api_keys import ROLES, Issuer, WantedKey
    from services.registry.store.api_keys import find_key

    for one in clients:
        _check(one)
    issuer = Issuer(frozenset(ROLES), None)
    given: dict[str, str] = {}
    async with registry_transaction(database_url) as (database, connection, context):
        for one in clients:
            key = made or new_key()
            given[one.name] = key.text
            if made and (known := await find_key(connection, key.id)):
                if known.state(context.now) != "live" or known.client != one.name:
                    raise EmbeddedError("this key was used and has ended", "agree on another one", ASKED_WRONGLY)
                continue
            await make_room(database, connection, one.name, context, left=1)
            wanted = WantedKey(one.name, tuple(sorted(set(one.roles))), one.ministry, None if made else days)
            await issue_key(database, connection, wanted, issuer, (key.id, key.sha256), context)
    return given


async def count_keys(database_url: str) -> int:
    """How many keys there are, live or not: as many each service is to know."""
    import asyncpg

    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval("select count(*) from registry.api_key"))
    finally:
        await connection.close()


async def _revoke(database_url: str, key_id: str) -> None:
    from services.cli.registry_database import registry_transaction
    from services.registry.actions.api_keys import revoke_key
    from services.registry.rules.api_keys import ROLES, Issuer
    from services.registry.rules.errors import ResourceNotFound

    try:
        async with registry_transaction(database_url) as (database, connection, context):
            await revoke_key(database, connection, key_id, Issuer(frozenset(ROLES), None), context)
    except ResourceNotFound as error:
        raise EmbeddedError(str(error), "`pledgewire keys list --all` shows those that there are", NOT_FOUND) from None


def _agreed(variable: str) -> "MadeKey":
    """The key that an environment variable holds; raises EmbeddedError where it holds none."""
    from services.plumbing.http.api_key_text import agreed_key

    text = os.environ.get(variable)
    if not text:
        raise EmbeddedError(
            f"{variable} is not set", "put the key into it, or leave out --from to have one made", ASKED_WRONGLY
        )
    try:
        return agreed_key(text)
    except ValueError as error:
        raise EmbeddedError(str(error), "use what `openssl rand -hex 32` prints", ASKED_WRONGLY) from None


def _check(client: ApiClient) -> None:
    """Raises EmbeddedError for a name or a role that no client can have."""
    from services.registry.rules.api_keys import ROLES

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", client.name):
        raise EmbeddedError(
            f"{client.name!r} is no name for a client",
            "use lower-case letters, digits and single hyphens",
            ASKED_WRONGLY,
        )
    if wrong := set(client.roles) - set(ROLES):
        raise EmbeddedError(f"there is no role {', '.join(sorted(wrong))}", f"use {', '.join(ROLES)}", ASKED_WRONGLY)


def _made(registry: CommandClient, body: dict[str, Any]) -> Any:
    return registry.ask("POST", "/keys", json=body, headers=acting_once())


def _ended(registry: CommandClient, key_id: str) -> Any:
    return registry.ask("DELETE", f"/keys/{segment(key_id)}", headers=acting_once())


def _registry(url: str, key: str) -> CommandClient:
    return CommandClient("registry", "REGISTRY_URL", "--url", url, _explain, key or None)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    """What a refusal says, and what to do about it."""
    match refusal.status:
        case 401 | 403:
            how = "use a key with the role admin (PLEDGEWIRE_KEY or --key); the first one is made with --database"
        case 404:
            how = "`pledgewire keys list --all` shows those that there are"
        case 409:
            how = "`pledgewire keys list --client NAME` shows them, `keys revoke KEY_ID` ends one"
        case 422:
            how = "; ".join(fault.removeprefix("body/") for fault in refusal.faults) or "mend what it says"
        case _:
            how = "try again"
    return refusal.told(how)


def _line(one: dict[str, Any], now: datetime) -> str:
    until = one["state"]
    if until == "live":
        until = _until(one["expires_at"], now)
    used = f"used {one['last_used_at'][:16]}Z" if one["last_used_at"] else "not used at the registry"
    ministry = f" for {one['ministry']}" if one["ministry"] else ""
    return f"{one['key_id']}  {one['client']}{ministry}  {', '.join(one['roles'])}  {until}  {used}"


def _until(expires_at: str | None, now: datetime) -> str:
    if expires_at is None:
        return "until it is changed"
    days = (datetime.fromisoformat(expires_at) - now).days
    return f"until {expires_at[:10]}" + (f" (ends in {days} days: rotate it)" if days < SOON else "")
