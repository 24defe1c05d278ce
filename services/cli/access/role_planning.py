"""How the roles of a database differ from what our services need: DML on the own schema each, and no more. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

MIGRATOR = "pledgewire_migrator"
"""Owns the schemas and all that is in them, and brings them to their revisions."""
SERVICE_ROLES: Mapping[str, str] = {
    "registry": "pledgewire_registry",
    "scheduler": "pledgewire_scheduler",
    "notifier": "pledgewire_notifier",
}
"""The role of each service that has a schema, by the service's name."""
ROLES = (MIGRATOR, *SERVICE_ROLES.values())
PUBLIC = "public"
"""Everybody, as PostgreSQL calls them in its rules."""

DML = ("select", "insert", "update", "delete")
COUNTING = ("usage", "select")
"""What a service does with a sequence."""

Kind = Literal["database", "schema", "table", "sequence", "tables to come", "sequences to come"]


@dataclass(frozen=True, order=True)
class Grant:
    """One thing that a role may do."""

    role: str
    kind: Kind
    name: str
    """In SQL, quoted: of a database, a schema, a table, a sequence; of what is to come, its schema."""
    privilege: str
    """In lower case."""


@dataclass(frozen=True)
class OwnedObject:
    """Something in one of our schemas, or such a schema, with its owner."""

    kind: Literal["schema", "table", "sequence", "routine", "type"]
    name: str
    """In SQL, quoted, with its schema."""
    owner: str


@dataclass(frozen=True)
class FoundRoles:
    """What the database says of our roles and our schemas."""

    database: str
    """Its name in SQL, quoted."""
    roles: Collection[str] = ()
    """Those of ours that there are."""
    mighty: Collection[str] = ()
    """Those of ours that may do what none of them is to: superuser, making roles and databases, and the like."""
    locked: Collection[str] = ()
    """Those of ours that can't log in."""
    members: Collection[tuple[str, str]] = ()
    """A role of ours, and one whose rights it may take."""
    objects: Collection[OwnedObject] = ()
    grants: Collection[Grant] = ()
    """Of our roles anywhere in the database, and of everybody in our schemas; what owners have is left out."""
    asking_as: str = ""
    migrator_owns_database: bool = False
    may_act_as_migrator: bool = True


@dataclass(frozen=True)
class RoleChange:
    """One thing that differs: for people, and the SQL that mends it."""

    role: str
    what: str
    sql: tuple[str, ...] = field(repr=False, default=())


def wanted_grants(found: FoundRoles) -> set[Grant]:
    """What our roles need in this database as it is."""
    wanted = {Grant(role, "database", found.database, "connect") for role in ROLES}
    wanted.add(Grant(MIGRATOR, "database", found.database, "create"))
    if found.migrator_owns_database:
        wanted = {one for one in wanted if one.role != MIGRATOR}
    for schema, role in SERVICE_ROLES.items():
        wanted.add(Grant(role, "schema", schema, "usage"))
        wanted |= {Grant(role, "tables to come", schema, privilege) for privilege in DML}
        wanted |= {Grant(role, "sequences to come", schema, privilege) for privilege in COUNTING}
        for one in found.objects:
            if one.name.startswith(f"{schema}."):
                if one.kind == "table":
                    wanted |= {Grant(role, "table", one.name, privilege) for privilege in DML}
                if one.kind == "sequence":
                    wanted |= {Grant(role, "sequence", one.name, privilege) for privilege in COUNTING}
    return wanted


def plan_roles(found: FoundRoles, new_passwords: Collection[str] = ()) -> list[RoleChange]:
    """What has to change, in the order in which it can; the passwords, of those roles, are set by whoever has them."""
    changes = []
    for role in ROLES:
        if role not in found.roles:
            without = "" if role in new_passwords else f" without a password: set {password_variable(role)}"
            changes.append(RoleChange(role, f"a role{without}", (f"create role {role} login",)))
        elif role in new_passwords:
            changes.append(RoleChange(role, "another password"))
        if role in found.mighty:
            less = "nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
            changes.append(RoleChange(role, "no longer more than a role needs", (f"alter role {role} {less}",)))
        if role in found.locked:
            changes.append(RoleChange(role, "may log in", (f"alter role {role} login",)))
    changes += [
        RoleChange(role, f"no longer a member of {other}", (f"revoke {_quoted(other)} from {role}",))
        for role, other in sorted(found.members)
    ]
    if not found.may_act_as_migrator:
        sql = f"grant {MIGRATOR} to {_quoted(found.asking_as)} with set true, inherit true"
        changes.append(RoleChange(MIGRATOR, f"{found.asking_as} may act as it", (sql,)))
    return changes + _ownership(found) + _granted(found)


def password_variable(role: str) -> str:
    """The environment variable with a role's password."""
    return f"DATABASE_PASSWORD_{role.removeprefix('pledgewire_').upper()}"


def _ownership(found: FoundRoles) -> list[RoleChange]:
    there = {one.name for one in found.objects if one.kind == "schema"}
    changes = [
        RoleChange(MIGRATOR, f"a schema {schema}", (f"create schema {schema} authorization {MIGRATOR}",))
        for schema in SERVICE_ROLES
        if schema not in there
    ]
    others = defaultdict(list)
    for one in found.objects:
        if one.owner != MIGRATOR:
            others[one.kind, one.name.partition(".")[0]].append(one)
    for (kind, schema), objects in others.items():
        what = f"owns the schema {schema}" if kind == "schema" else f"owns {_counted(len(objects), kind)} of {schema}"
        sql = tuple(f"alter {kind} {one.name} owner to {MIGRATOR}" for one in objects)
        changes.append(RoleChange(MIGRATOR, what, sql))
    return changes


def _granted(found: FoundRoles) -> list[RoleChange]:
    wanted, there = wanted_grants(found), set(found.grants)
    changes = []
    for one, names in _together(there - wanted).items():
        what = f"no longer {', '.join(one[2])} on {_told(one[1], names)}"
        changes.append(RoleChange(one[0], what, tuple(_sql("revoke", one, name) for name in names)))
    for one, names in _together(wanted - there).items():
        what = f"{', '.join(one[2])} on {_told(one[1], names)}"
        changes.append(RoleChange(one[0], what, tuple(_sql("grant", one, name) for name in names)))
    return changes


_Granted = tuple[str, Kind, tuple[str, ...]]
"""A role, a kind of things, and what it may do with each."""


def _together(grants: Collection[Grant]) -> dict[_Granted, list[str]]:
    """Things on which a role has the same privileges, as one."""
    privileges = defaultdict(list)
    for one in sorted(grants):
        privileges[one.role, one.kind, one.name].append(one.privilege)
    things = defaultdict(list)
    for (role, kind, name), several in privileges.items():
        things[role, kind, tuple(several)].append(name)
    return dict(things)


def _sql(verb: str, one: _Granted, name: str) -> str:
    role, kind, privileges = one
    who = f"{'to' if verb == 'grant' else 'from'} {role}"
    if kind in ("tables to come", "sequences to come"):
        things = kind.partition(" ")[0]
        defaults = f"alter default privileges for role {MIGRATOR} in schema {name}"
        return f"{defaults} {verb} {', '.join(privileges)} on {things} {who}"
    return f"{verb} {', '.join(privileges)} on {kind} {name} {who}"


def _told(kind: Kind, names: list[str]) -> str:
    if len(names) == 1:
        return f"{kind} {names[0]}" if "to come" not in kind else f"{kind} in {names[0]}"
    schemas = sorted({name.partition(".")[0] for name in names})
    return f"{_counted(len(names), kind)} of {', '.join(schemas)}"


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind}" if count == 1 else f"{count} {kind}s"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
