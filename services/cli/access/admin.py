"""The broker's side of access: what it says of users, ACLs and quotas, and how they are changed."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from services.cli.access.messages import (
    AlterQuotas,
    AlterScramUsers,
    CreateAclsRequest_v1,
    DeleteAclsRequest_v1,
    DescribeAclsRequest_v1,
    DescribeQuotas,
    DescribeScramUsers,
    VersionedRequest,
)
from services.cli.access.planning import FoundAccess
from services.cli.access.principals import AclEntry
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.transient_errors import Unavailable

ITERATIONS = 8192
"""Of PBKDF2, twice what Kafka insists on: our passwords are random, and every login pays for them."""

_SCRAM_SHA_512 = 2
_ANY = 1
_RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
_LITERAL, _PREFIX = 3, 4
_OPERATIONS = {
    "all": 2,
    "read": 3,
    "write": 4,
    "create": 5,
    "delete": 6,
    "alter": 7,
    "describe": 8,
    "cluster-action": 9,
    "describe-configs": 10,
    "alter-configs": 11,
    "idempotent-write": 12,
}
_PERMISSIONS = {"deny": 2, "allow": 3}
_NO_SUCH_CREDENTIAL = 91


class AccessRefused(Exception):
    """The broker did not do what it was asked for; the text is its reason."""


class AccessAdmin:
    """Asks and changes, as a principal that may: the broker's super user."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._client = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=15_000)

    async def __aenter__(self) -> "AccessAdmin":
        try:
            await self._client.start()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def brokers(self) -> list[int]:
        """The ids of all brokers; each has a copy of its own of what is asked for here."""
        return [one["node_id"] for one in (await self._client.describe_cluster())["brokers"]]

    async def found(self, broker: int | None = None) -> FoundAccess:
        """What one broker says, any unless it is named."""
        users = await self._ask(DescribeScramUsers(None, {}), broker)
        acls = await self._ask(DescribeAclsRequest_v1(_ANY, None, _ANY, None, None, _ANY, _ANY), broker)
        quotas = await self._ask(DescribeQuotas([("user", 2, None)], True), broker)  # 2: whatever has a name
        for answer in (users, acls, quotas):
            _check(answer.error_code, answer.error_message)
        return FoundAccess(
            frozenset(
                user
                for user, code, _, credentials, _ in users.users
                if not code and any(one[0] == _SCRAM_SHA_512 for one in credentials)
            ),
            frozenset(
                _acl_entry(kind, name, pattern, *rule)
                for kind, name, pattern, rules in acls.resources
                for rule in rules
            ),
            {entity[0][1]: dict(values) for entity, values in quotas.entries or ()},
        )

    async def create_acls(self, acls: Collection[AclEntry]) -> None:
        """Add rules; one that is there already is no error."""
        if acls:
            answer = await self._ask(CreateAclsRequest_v1([_row(acl) for acl in sorted(acls)]))
            for code, message in answer.creation_responses:
                _check(code, message)

    async def delete_acls(self, acls: Collection[AclEntry]) -> None:
        """Take away these very rules; one that is gone already is no error."""
        if acls:
            await self._delete_acls([_row(acl) for acl in sorted(acls)])

    async def delete_all_acls_of(self, principal: str) -> None:
        """Take away every rule about a principal, whatever it is for."""
        await self._delete_acls([(_ANY, None, _ANY, principal, None, _ANY, _ANY)])

    async def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Let users log in by SCRAM-SHA-512 with these passwords, and with no other from then on."""
        rows: list[tuple[Any, ...]] = []
        for name, password in sorted(passwords.items()):
            salt = secrets.token_bytes(24)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode("ascii"), salt, ITERATIONS)
            rows.append((name, _SCRAM_SHA_512, ITERATIONS, salt, salted, {}))
        if rows:
            await self._alter_users([], rows)

    async def delete_users(self, names: Iterable[str]) -> None:
        """Let nobody log in by these names any more; what is connected already stays so."""
        await self._alter_users([(name, _SCRAM_SHA_512, {}) for name in names], [])

    async def set_quotas(self, quotas: Mapping[str, Mapping[str, float | None]]) -> None:
        """Set these quotas of these users; None removes one, and others stay as they are."""
        entries = [
            ([("user", name)], [(key, value or 0.0, value is None) for key, value in sorted(values.items())])
            for name, values in sorted(quotas.items())
            if values
        ]
        if entries:
            answer = await self._ask(AlterQuotas(entries, False))
            for code, message, _ in answer.entries:
                _check(code, message)

    async def _delete_acls(self, filters: list[tuple[Any, ...]]) -> None:
        answer = await self._ask(DeleteAclsRequest_v1(filters))
        for code, message, matching in answer.filter_responses:
            _check(code, message)
            for one in matching:
                _check(one[0], one[1])

    async def _alter_users(self, deletions: list[tuple[Any, ...]], upsertions: list[tuple[Any, ...]]) -> None:
        answer = await self._ask(AlterScramUsers(deletions, upsertions, {}))
        for _, code, message, _ in answer.results:
            if code != _NO_SUCH_CREDENTIAL:
                _check(code, message)

    async def _ask(self, body: Any, broker: int | None = None) -> Any:
        return await self._client._send_request(VersionedRequest(body), broker)


async def can_log_in(settings: KafkaSettings, name: str, password: str) -> bool:
    """Whether the broker lets this user in with this password.

    Raises `Unavailable` where none can be asked, and `AccessRefused` where it is asked at a listener without SCRAM.
    """
    options = settings.client_options() | {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": name,
        "sasl_plain_password": password,
    }
    reasons = []
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers"), randomize=False):
        try:
            connection = await create_conn(host, port, **options, request_timeout_ms=15_000)
        except SaslAuthenticationFailed:
            return False
        except UnsupportedSaslMechanismError:
            raise AccessRefused(
                f"{host}:{port} takes no SCRAM-SHA-512, and so {name}'s password can't be tried"
            ) from None
        except (KafkaError, OSError, TimeoutError) as error:
            reasons.append(f"{host}:{port}: {error!r}")
        else:
            await connection.close()
            return True
    raise Unavailable(f"no broker could be asked whether it lets {name} in: {'; '.join(reasons)}")


def _check(code: int, message: str | None) -> None:
    if code:
        raise AccessRefused(f"{message or 'no reason is given'} (Kafka's error {code})")


def _row(acl: AclEntry) -> tuple[int, str, int, str, str, int, int]:
    return (
        _RESOURCES[acl.resource],
        acl.name,
        _PREFIX if acl.is_prefix else _LITERAL,
        acl.principal,
        acl.host,
        _OPERATIONS[acl.operation],
        _PERMISSIONS[acl.permission],
    )


def _acl_entry(
    kind: int, name: str, pattern: int, principal: str, host: str, operation: int, permission: int
) -> AclEntry:
    resources: dict[int, Any] = {code: word for word, code in _RESOURCES.items()}
    operations = {code: word for word, code in _OPERATIONS.items()}
    permissions = {code: word for word, code in _PERMISSIONS.items()}
    return AclEntry(
        principal,
        resources.get(kind, "other"),
        name,
        operations.get(operation, str(operation)),
        pattern == _PREFIX,
        permissions.get(permission, str(permission)),
        host,
    )
