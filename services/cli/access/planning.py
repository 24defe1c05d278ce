"""How the broker differs from the file. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.cli.access.principals import AclEntry, Place, Principal, user

Kind = Literal["topic", "allow", "take-away", "quota", "password", "stranger", "ministry", "database"]


@dataclass(frozen=True)
class FoundAccess:
    """What the broker says."""

    users: frozenset[str] = frozenset()
    """Who can log in with SCRAM-SHA-512."""
    acls: frozenset[AclEntry] = frozenset()
    quotas: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of each user that has one."""


@dataclass(frozen=True)
class AccessChange:
    """One thing that differs; `what` is for people."""

    principal: str
    kind: Kind
    what: str
    by_apply: bool = True
    """Whether `apply` changes it; somebody has to, otherwise."""


def plan(
    wanted: Sequence[Principal],
    found: FoundAccess,
    *,
    given: Collection[str] = (),
    not_let_in: Collection[str] = (),
    ours: Collection[Place] = (),
    super_user: str = "",
) -> list[AccessChange]:
    """What has to change.

    `given` are the principals whose passwords we were given, `not_let_in` those of them that can't log in with them,
    `ours` where others are strangers: but for the `super_user`.
    """
    changes = []
    for one in wanted:
        there = {acl for acl in found.acls if acl.principal == user(one.name)}
        changes += [AccessChange(one.name, "take-away", f"no longer {acl}") for acl in sorted(there - one.acls)]
        changes += [AccessChange(one.name, "allow", str(acl)) for acl in sorted(one.acls - there)]
        changes += _quota_changes(one, found.quotas.get(one.name, {}))
        changes += _password_changes(one, found, given, not_let_in)
    return changes + _strangers(wanted, found, ours, super_user)


def _quota_changes(one: Principal, there: Mapping[str, float]) -> list[AccessChange]:
    return [
        AccessChange(one.name, "quota", f"{key} {_told(there.get(key))} → {_told(one.quota.get(key))}")
        for key in sorted(there.keys() | one.quota.keys())
        if there.get(key) != one.quota.get(key)
    ]


def _told(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:.15g}"


def _password_changes(
    one: Principal, found: FoundAccess, given: Collection[str], not_let_in: Collection[str]
) -> list[AccessChange]:
    if one.name in found.users and one.name not in not_let_in:
        return []
    if one.name in given:
        what = "another password" if one.name in found.users else "a password"
        return [AccessChange(one.name, "password", what)]
    if one.kind == "service":
        how = f"set KAFKA_PASSWORD_{one.name.upper()} and apply again"
    else:
        how = f"`pledgewire access rotate {one.name}` makes one"
    return [AccessChange(one.name, "password", f"has no password: {how}", by_apply=False)]


def _strangers(
    wanted: Sequence[Principal], found: FoundAccess, ours: Collection[Place], super_user: str
) -> list[AccessChange]:
    """What principals that the file doesn't name may do on what is ours."""
    known = {user(one.name) for one in wanted} | {user(super_user)}
    return [
        AccessChange(acl.principal.removeprefix("User:"), "stranger", f"{acl}, and the file does not name it", False)
        for acl in sorted(strange_acls(found.acls, known, ours))
    ]


def strange_acls(acls: Collection[AclEntry], known: Collection[str], ours: Collection[Place]) -> list[AclEntry]:
    """The rules that allow something on what is ours to somebody who is not known."""
    return [
        acl
        for acl in acls
        if acl.permission == "allow" and acl.principal not in known and any(acl.concerns(place) for place in ours)
    ]
