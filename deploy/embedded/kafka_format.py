"""Writes the empty log of each broker of a new cluster."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.java import check_java, no_java, plain_environment
from deploy.embedded.kafka_settings import MECHANISM
from deploy.embedded.state import Credentials, new_id, write_private

PATIENCE = 60.0  # seconds until it counts as failed


def format_brokers(java: Sequence[str], brokers: Sequence[Path], credentials: Credentials) -> None:
    """Format the data folder of each broker, `data` in its own; `java` is the command that runs a class.

    Java is started once: the brokers differ in two lines of a text file. Raises EmbeddedError.
    """
    first = brokers[0]
    arguments = first / "format.arguments"
    # What an interrupted start left half formatted holds no data.
    for broker in brokers:
        shutil.rmtree(broker / "data", ignore_errors=True)
    # In a file, since the arguments of a process are there for everyone to read.
    user = f"{MECHANISM}=[name={credentials.username},password={credentials.kafka_password}]"
    words = ["format", "--cluster-id", credentials.cluster_id, "--config", str(first / "server.properties")]
    write_private(arguments, "\n".join([*words, "--add-scram", user]) + "\n")
    try:
        done = subprocess.run(  # noqa: S603 - our Java and our file
            [*java, "kafka.tools.StorageTool", f"@{arguments}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=first.parent,
            env=plain_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise no_java(str(error)) from error
    finally:
        arguments.unlink()
    if done.returncode != 0:
        check_java()
        reason = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
        raise EmbeddedError(
            f"Kafka could not format its data folder: {reason[-1]}", "start with --reset to empty the folder"
        )
    for index, broker in enumerate(brokers[1:], start=1):
        _copy_format(first / "data", broker / "data", index)


def _copy_format(first: Path, folder: Path, index: int) -> None:
    half = folder.with_name("data.half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(first, half)
    meta = half / "meta.properties"
    own = {"node.id": str(index), "directory.id": new_id()}
    lines = [line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line]
    meta.write_text("".join(f"{name}={own.get(name, value)}\n" for name, value in lines))
    half.replace(folder)
