"""Brings a cluster whose folder was kept to the features of the Kafka that runs it now: `metadata.version` above all.

A newer broker goes on with the features that the folder was formatted with, so that an older one could still read it;
only when somebody says so does it write what is new. Whoever starts the newer release here has decided.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.java import no_java, plain_environment
from deploy.embedded.kafka_admin import kafka_admin
from deploy.embedded.state import Credentials

STATIC = "kraft.version"
"""Goes with voters that may change; ours are written down in the settings."""
_UPGRADE = 1


def levels(java: Sequence[str], release: str) -> dict[str, int]:
    """The level of each feature that a release of Kafka (`4.3`) has, from its own table; raises EmbeddedError."""
    try:
        done = subprocess.run(  # noqa: S603 - our Java
            [*java, "kafka.tools.StorageTool", "version-mapping", "--release-version", release],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=plain_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise no_java(str(error)) from error
    found = {name: int(level) for name, level in re.findall(r"^([a-z.]+)=(\d+)", done.stdout, re.MULTILINE)}
    if done.returncode or "metadata.version" not in found:
        raise EmbeddedError(f"Kafka does not know its own release {release}", "run `pledgewire embedded fetch` again")
    return {name: level for name, level in found.items() if level and name != STATIC}


@dataclass(frozen=True)
class FeatureUpgrade:
    """A word to the cluster at `servers`: its features are to have these levels from now on."""

    servers: str
    credentials: Credentials
    levels: Mapping[str, int]

    async def ask(self) -> None:
        """Return when the controller has taken all of them; EmbeddedError where it would not."""
        from aiokafka.errors import KafkaError

        try:
            async with kafka_admin(self.servers, self.credentials, timeout_ms=30_000) as client:
                answer = await client._send_request(_update(self.levels))
        except (KafkaError, OSError, TimeoutError) as error:
            raise _refused(repr(error)) from error
        for code, message in [(answer.error_code, answer.error_message), *(one[1:3] for one in answer.results)]:
            if code:
                raise _refused(f"{message} (Kafka's error {code})")


def _update(levels: Mapping[str, int]) -> object:
    """Kafka's UpdateFeatures (KIP-584), which aiokafka has not."""
    from aiokafka.protocol.api import RequestStruct, Response
    from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int8, Int16, Int32, Schema, TaggedFields

    text, tags = CompactString("utf-8"), ("tags", TaggedFields)

    class FeaturesUpdated(Response):  # type: ignore[misc]  # aiokafka has no types
        API_KEY, API_VERSION = 57, 1
        SCHEMA = Schema(
            ("throttle_time_ms", Int32),
            ("error_code", Int16),
            ("error_message", text),
            ("results", CompactArray(("feature", text), ("error_code", Int16), ("error_message", text), tags)),
            tags,
        )

    class UpdateFeatures(RequestStruct):  # type: ignore[misc]
        FLEXIBLE_VERSION = True
        API_KEY, API_VERSION, RESPONSE_TYPE = 57, 1, FeaturesUpdated
        SCHEMA = Schema(
            ("timeout_ms", Int32),
            ("feature_updates", CompactArray(("feature", text), ("max_level", Int16), ("type", Int8), tags)),
            ("validate_only", Boolean),
            tags,
        )

    updates: list[tuple[str, int, int, dict[int, bytes]]] = [
        (name, level, _UPGRADE, {}) for name, level in sorted(levels.items())
    ]
    return _Versioned(UpdateFeatures(30_000, updates, False, {}))


@dataclass(frozen=True)
class _Versioned:
    """What aiokafka sends: a request in one version."""

    body: object

    def prepare(self, _: Mapping[int, tuple[int, int]]) -> object:
        return self.body


def _refused(reason: str) -> EmbeddedError:
    return EmbeddedError(
        f"Kafka did not take over the features of its new release: {reason}",
        "everything works as with the old one; start again to try once more",
    )
