"""Makes the broker's users, ACLs, quotas and ministries' topics those of the file, and says what it changes."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence

from services.cli.access.admin import AccessAdmin, can_log_in
from services.cli.access.document import AccessDocument
from services.cli.access.planning import AccessChange, FoundAccess, plan, strange_acls
from services.cli.access.principals import (
    AclEntry,
    Principal,
    our_places,
    principals,
    reporting,
    user,
)
from services.cli.topics import TopicAdmin, ministry_topics
from services.cli.topics import plan as plan_topics
from services.plumbing.kafka.settings import KafkaSettings

LONGEST_WAIT = 10.0
"""Seconds until every broker is to have heard of a change."""


def new_password() -> str:
    """A random one, of characters that need no quoting anywhere."""
    return secrets.token_hex(24)


async def apply_access(
    settings: KafkaSettings,
    document: AccessDocument,
    passwords: Mapping[str, str],
    *,
    dry_run: bool = False,
    revoke_strangers: bool = False,
) -> list[AccessChange]:
    """Compare and, unless it is a dry run, change; what differed, empty when all is as it should be.

    `passwords` are those that we know, by principal. Raises what Kafka raises, `AccessRefused` and `Unavailable`.
    """
    wanted = principals(document)
    ours = our_places(document)
    async with AccessAdmin(settings) as admin:
        found = await admin.found()
        changes = await _topics(settings, document, dry_run=dry_run)
        changes += plan(
            wanted,
            found,
            given=passwords,
            not_let_in=await _not_let_in(settings, wanted, found, passwords),
            ours=ours,
            super_user=settings.sasl_username,
        )
        if not dry_run:
            known = {user(one.name) for one in wanted} | {user(settings.sasl_username)}
            strange = strange_acls(found.acls, known, ours) if revoke_strangers else []
            # What is too much goes first; who comes in new finds every bound in its place.
            await admin.delete_acls({acl for one in wanted for acl in _too_much(one, found)} | set(strange))
            await admin.set_quotas({one.name: _quota_steps(one, found) for one in wanted})
            await admin.create_acls({acl for one in wanted for acl in one.acls - found.acls})
            new = {change.principal for change in changes if change.kind == "password" and change.by_apply}
            await admin.set_passwords({name: passwords[name] for name in new})
            if any(change.kind != "topic" and change.by_apply for change in changes) or strange:
                await _until_heard(admin, lambda seen: new <= seen.users and _is_as_wanted(wanted, seen))
    return changes


async def rotate(settings: KafkaSettings, name: str, password: str) -> None:
    """Give a principal this password in place of any other; connections that are open stay."""
    async with AccessAdmin(settings) as admin:
        await admin.set_passwords({name: password})
        await _until_heard(admin, lambda seen: name in seen.users)


async def revoke(settings: KafkaSettings, name: str) -> None:
    """Take a principal's rules away, then its credentials, then its quota.

    In this order: a connection that is open stays open without credentials, and reads on for as long as it may.
    """
    async with AccessAdmin(settings) as admin:
        await admin.delete_all_acls_of(user(name))
        await admin.delete_users([name])
        found = await admin.found()
        await admin.set_quotas({name: dict.fromkeys(found.quotas.get(name, {}))})
        await _until_heard(
            admin, lambda seen: name not in seen.users and all(acl.principal != user(name) for acl in seen.acls)
        )


async def found_access(settings: KafkaSettings) -> FoundAccess:
    """What the broker says."""
    async with AccessAdmin(settings) as admin:
        return await admin.found()


async def _topics(settings: KafkaSettings, document: AccessDocument, *, dry_run: bool) -> list[AccessChange]:
    codes = reporting(document)
    if not codes:
        return []
    async with TopicAdmin(settings) as admin:
        brokers = await admin.brokers()
        wanted = [topic for code in codes for topic in ministry_topics(code, brokers)]
        changes = plan_topics(wanted, await admin.found([topic.name for topic in wanted]))
        if changes and not dry_run:
            await admin.apply(wanted, changes, min(3, brokers))
    owner = {topic.name: code for code in codes for topic in ministry_topics(code, brokers)}
    return [AccessChange(owner[one.topic], "topic", f"{one.topic}: {one.what}") for one in changes]


async def _not_let_in(
    settings: KafkaSettings, wanted: Sequence[Principal], found: FoundAccess, passwords: Mapping[str, str]
) -> list[str]:
    """Those whose password, as we know it, is not the broker's."""
    there = [one.name for one in wanted if one.name in passwords and one.name in found.users]
    let_in = await asyncio.gather(*(can_log_in(settings, name, passwords[name]) for name in there))
    return [name for name, is_let_in in zip(there, let_in, strict=True) if not is_let_in]


def _too_much(one: Principal, found: FoundAccess) -> Iterator[AclEntry]:
    return (acl for acl in found.acls if acl.principal == user(one.name) and acl not in one.acls)


def _quota_steps(one: Principal, found: FoundAccess) -> dict[str, float | None]:
    there = found.quotas.get(one.name, {})
    return {key: one.quota.get(key) for key in there.keys() | one.quota.keys() if there.get(key) != one.quota.get(key)}


def _is_as_wanted(wanted: Sequence[Principal], seen: FoundAccess) -> bool:
    return not any(change.by_apply for change in plan(wanted, seen))


async def _until_heard(admin: AccessAdmin, is_heard: Callable[[FoundAccess], bool]) -> None:
    """Wait until every broker says so; raises TimeoutError. A change is answered before the brokers have it."""
    async with asyncio.timeout(LONGEST_WAIT):
        for broker in await admin.brokers():
            while not is_heard(await admin.found(broker)):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.02)
