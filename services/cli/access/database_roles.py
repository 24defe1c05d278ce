"""Makes the roles of our services in PostgreSQL, and says what it changes: the database's side of access."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import asyncpg

from services.cli.access.role_planning import (
    MIGRATOR,
    ROLES,
    SERVICE_ROLES,
    FoundRoles,
    Grant,
    OwnedObject,
    RoleChange,
    plan_roles,
)
from services.cli.databases import with_user
from services.plumbing.short_locks import taking, until_locks_are_free

_ITERATIONS = 4096
"""Of PBKDF2, PostgreSQL's own number: our passwords are random, and every login pays for them."""
_SCHEMAS = list(SERVICE_ROLES)


async def apply_roles(
    database_url: str, passwords: Mapping[str, str], *, dry_run: bool = False, patience: float = 60.0
) -> list[RoleChange]:
    """Compare and, unless it is a dry run, change; what differed, empty when all is as it should be.

    `passwords` are those that we know, by role. Where none is known and no role of ours is there, none is wanted: the
    services go on as the one user that DATABASE_URL names. Locks that somebody holds are waited for in short turns,
    `patience` seconds in all. Raises what PostgreSQL raises: `InsufficientPrivilegeError` for who may not make roles.
    """
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-access"})
    try:
        found = await found_roles(connection)
        if not passwords and not found.roles:
            return []
        unlike = [
            role
            for role, password in passwords.items()
            if role not in found.roles or not await can_log_in(database_url, role, password)
        ]
        changes = plan_roles(found, unlike)
        if changes and not dry_run:

            async def change() -> None:
                await _change(connection, changes, {role: passwords[role] for role in unlike})

            await until_locks_are_free(change, patience)
        return changes
    finally:
        await connection.close()


async def can_log_in(database_url: str, role: str, password: str) -> bool:
    """Whether the database lets this role in with this password."""
    try:
        connection = await asyncpg.connect(with_user(database_url, role, password), timeout=15)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return False
    except asyncpg.InsufficientPrivilegeError:  # the password is right, and the right to connect is what lacks
        return True
    await connection.close()
    return True


async def _change(
    connection: "asyncpg.Connection[asyncpg.Record]", changes: list[RoleChange], passwords: Mapping[str, str]
) -> None:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(hashtext('pledgewire-roles'))")
        taken_over = [sql.split()[2] for one in changes for sql in one.sql if sql.startswith("alter table")]
        for sql in taking(dict.fromkeys(taken_over, "access exclusive")):
            await connection.execute(sql)
        for one in changes:
            for sql in one.sql:
                await connection.execute(sql)
        for role, password in passwords.items():
            await connection.execute(f"alter role {role} password '{_verifier(password)}'")


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password (RFC 5803): made here, so that the password itself never is in its log."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    coded = [base64.b64encode(one).decode() for one in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{coded[0]}${coded[1]}:{coded[2]}"


async def found_roles(connection: "asyncpg.Connection[asyncpg.Record]") -> FoundRoles:
    """What the database says; everybody may ask."""
    roles = await connection.fetch(_ROLES, list(ROLES))
    [asking] = await connection.fetch(_ASKING, MIGRATOR)
    return FoundRoles(
        database=asking["database"],
        roles=[one["rolname"] for one in roles],
        mighty=[one["rolname"] for one in roles if one["mighty"]],
        locked=[one["rolname"] for one in roles if not one["rolcanlogin"]],
        members=[(one["role"], one["other"]) for one in await connection.fetch(_MEMBERS, list(ROLES))],
        objects=[OwnedObject(*one) for one in await connection.fetch(_OBJECTS, _SCHEMAS)],
        grants=[Grant(*one) for one in await _grants(connection)],
        asking_as=asking["asking_as"],
        migrator_owns_database=asking["owner"] == MIGRATOR,
        may_act_as_migrator=asking["is_superuser"] or asking["may_act"],
    )


async def _grants(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Any]:
    return list(await connection.fetch(_GRANTS, list(ROLES), _SCHEMAS, MIGRATOR))


_ROLES = """
select rolname, rolcanlogin, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as mighty
from pg_roles where rolname = any($1)
"""
_ASKING = """
select quote_ident(current_database()) as database, current_user::text as asking_as,
       (select pg_get_userbyid(datdba)::text from pg_database where datname = current_database()) as owner,
       (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
       exists (select from pg_roles where rolname = $1 and pg_has_role(current_user, oid, 'SET')) as may_act
"""
_MEMBERS = """
select m.rolname::text as role, r.rolname::text as other
from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles r on r.oid = a.roleid
where m.rolname = any($1)
"""
_OBJECTS = """
select 'schema', quote_ident(nspname), pg_get_userbyid(nspowner)::text from pg_namespace where nspname = any($1)
union all
select case when c.relkind = 'S' then 'sequence' else 'table' end,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_get_userbyid(c.relowner)::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any($1) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not exists (
    -- That of an identity column, or of a serial: it goes with its table, and nobody grants it.
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
)
union all
select 'routine',
       quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid)
       || ')',
       pg_get_userbyid(p.proowner)::text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any($1)
union all
select 'type', quote_ident(n.nspname) || '.' || quote_ident(t.typname), pg_get_userbyid(t.typowner)::text
from pg_type t join pg_namespace n on n.oid = t.typnamespace
where n.nspname = any($1) and t.typtype in ('e', 'd', 'r')
"""
_GRANTS = """
with found as (
    select a.grantee, a.privilege_type, 'database' as kind, quote_ident(datname) as name, datdba as owner
    from pg_database, aclexplode(datacl) a where datname = current_database() and a.grantee <> 0
    union all
    select a.grantee, a.privilege_type, 'schema', quote_ident(nspname), nspowner
    from pg_namespace, aclexplode(nspacl) a where nspname !~ '^pg_' and nspname <> 'information_schema'
        and (a.grantee <> 0 or nspname = any($2))
    union all
    select a.grantee, a.privilege_type, case when relkind = 'S' then 'sequence' else 'table' end,
           quote_ident(nspname) || '.' || quote_ident(relname), relowner
    from pg_class c join pg_namespace n on n.oid = relnamespace, aclexplode(relacl) a
    where nspname !~ '^pg_' and nspname <> 'information_schema' and (a.grantee <> 0 or nspname = any($2))
        and not exists (
            select from pg_depend d
            where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
        )
    union all
    select a.grantee, a.privilege_type,
           case defaclobjtype when 'r' then 'tables to come' else 'sequences to come' end, quote_ident(nspname),
           defaclrole
    from pg_default_acl d join pg_namespace n on n.oid = defaclnamespace, aclexplode(defaclacl) a
    where defaclobjtype in ('r', 'S') and pg_get_userbyid(defaclrole) = $3
)
select coalesce(rolname::text, 'public'), kind, name, lower(privilege_type)
from found left join pg_roles on oid = grantee
where grantee <> owner and (rolname = any($1) or grantee = 0)
"""
