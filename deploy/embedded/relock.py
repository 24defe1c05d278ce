"""Write `kafka.lock.toml` again: every jar of the broker, by coordinates, with its size and SHA-256.

Run it when Kafka's version moves: `python -m deploy.embedded.relock [--check]`. It resolves the POMs with jgo (about
twenty seconds of work, which is why a run never does it) in an empty folder, so that no old or cut file of a local
Maven cache can get into the lock. `--check` writes nothing and exits with 1 when the lock would change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.embedded.jars import LOCK, Jar, checksum, jar_at, maven_context

KAFKA = "4.3.1"
ROOT = f"org.apache.kafka:kafka_2.13:{KAFKA}"
# Kafka's jars speak SLF4J 1 and bring log4j-core but nothing between the two: without this one every error vanishes.
# Its version follows the log4j-core that Kafka itself asks for.
BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl")


def resolve(folder: Path) -> list[Jar]:
    """Every jar of the broker, sorted by name, after downloading all of them into `folder`."""
    context = maven_context(folder)
    chosen = _closure(context, [ROOT])
    log4j = next(version for group, name, version in chosen if (group, name) == (BINDING[0], "log4j-core"))
    chosen |= {(*BINDING, log4j)}
    jars = []
    for group, name, version in sorted(chosen, key=lambda found: (found[1], found[0])):
        path = jar_at(context, group, name, version)
        jars.append(Jar(group, name, version, path.stat().st_size, checksum(path)))
    return jars


def _closure(context: Any, roots: list[str]) -> set[tuple[str, str, str]]:
    asked = [context.create_dependency(root) for root in roots]
    inputs, transitive = context.resolver.resolve(asked)
    return {
        (found.groupId, found.artifactId, found.version)
        for found in [*inputs, *transitive]
        if found.scope not in ("test", "provided") and found.type == "jar"
    }


def render(jars: list[Jar]) -> str:
    """The lock as TOML, one jar a line, so that a change of version is a change of one line."""
    lines = [
        "# Written by `python -m deploy.embedded.relock`: the broker's jars, each with its size in bytes and SHA-256.",
        f'kafka = "{KAFKA}"',
        "jars = [",
    ]
    lines += [
        f'    {{ at = "{jar.group}:{jar.name}:{jar.version}", size = {jar.size}, sha256 = "{jar.sha256}" }},'
        for jar in jars
    ]
    return "\n".join([*lines, "]", ""])


def main() -> int:
    """Write the lock, or with `--check` compare it; the number of jars goes to standard error."""
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve(Path(folder))
    text = render(jars)
    sys.stderr.write(f"{len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.0f} MB\n")
    if "--check" in sys.argv[1:]:
        return 0 if LOCK.read_text() == text else 1
    LOCK.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
