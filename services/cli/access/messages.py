"""Kafka's requests about users, ACLs and quotas, in the one version of each that we write.

aiokafka has those about ACLs, one rule at a time, and none about users and quotas; confluent-kafka has none about
quotas (docs/decisions/0035-access.md). The forms are Kafka's own message definitions, in versions that Kafka 4 takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Float64,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

_TEXT, _COMPACT, _TAGS = String("utf-8"), CompactString("utf-8"), ("tags", TaggedFields)
_ENTITY = ("entity", Array(("type", _TEXT), ("name", _TEXT)))

__all__ = [
    "AlterQuotas",
    "AlterScramUsers",
    "CreateAclsRequest_v1",
    "DeleteAclsRequest_v1",
    "DescribeAclsRequest_v1",
    "DescribeQuotas",
    "DescribeScramUsers",
    "VersionedRequest",
]


@dataclass(frozen=True)
class VersionedRequest:
    """What aiokafka sends: a request in one version, if the broker takes it."""

    body: Any

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Any:
        """The request for a broker that takes these versions; raises IncompatibleBrokerVersion."""
        least, most = versions.get(self.body.API_KEY, (0, -1))
        if not least <= self.body.API_VERSION <= most:
            raise IncompatibleBrokerVersion(
                f"the broker takes {type(self.body).__name__} in the versions {least} to {most}, and we write"
                f" {self.body.API_VERSION}"
            )
        return self.body


class _QuotasFound(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY, API_VERSION = 48, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", _TEXT),
        ("entries", Array(_ENTITY, ("values", Array(("key", _TEXT), ("value", Float64))))),
    )


class DescribeQuotas(RequestStruct):  # type: ignore[misc]
    """DescribeClientQuotas: of everything that the components match."""

    API_KEY, API_VERSION, RESPONSE_TYPE = 48, 0, _QuotasFound
    SCHEMA = Schema(
        ("components", Array(("type", _TEXT), ("match_type", Int8), ("match", _TEXT))),
        ("strict", Boolean),
    )


class _QuotasAltered(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 49, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _TEXT), _ENTITY)),
    )


class AlterQuotas(RequestStruct):  # type: ignore[misc]
    """AlterClientQuotas: sets or removes single quotas of entities."""

    API_KEY, API_VERSION, RESPONSE_TYPE = 49, 0, _QuotasAltered
    SCHEMA = Schema(
        ("entries", Array(_ENTITY, ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean))))),
        ("validate_only", Boolean),
    )


class _ScramUsersFound(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 50, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", _COMPACT),
        (
            "users",
            CompactArray(
                ("user", _COMPACT),
                ("error_code", Int16),
                ("error_message", _COMPACT),
                ("credentials", CompactArray(("mechanism", Int8), ("iterations", Int32), _TAGS)),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class DescribeScramUsers(RequestStruct):  # type: ignore[misc]
    """DescribeUserScramCredentials: who can log in by SCRAM; None for everybody."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION, RESPONSE_TYPE = 50, 0, _ScramUsersFound
    SCHEMA = Schema(("users", CompactArray(("name", _COMPACT), _TAGS)), _TAGS)


class _ScramUsersAltered(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", CompactArray(("user", _COMPACT), ("error_code", Int16), ("error_message", _COMPACT), _TAGS)),
        _TAGS,
    )


class AlterScramUsers(RequestStruct):  # type: ignore[misc]
    """AlterUserScramCredentials: makes, replaces and deletes credentials; a password never travels, salted it does."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION, RESPONSE_TYPE = 51, 0, _ScramUsersAltered
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _COMPACT), ("mechanism", Int8), _TAGS)),
        (
            "upsertions",
            CompactArray(
                ("name", _COMPACT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                _TAGS,
            ),
        ),
        _TAGS,
    )
