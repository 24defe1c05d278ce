"""What the locks name: packages of Python, and the broker's jars."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.jars import LOCK as JARS
from deploy.embedded.jars import locked as locked_jars
from services.cli.service_client import FAILED

FOLDER = Path(__file__).resolve().parents[3] / "locks"
LOCKS = ("services", "runtime", "development")
"""The image's packages; those and what runs embedded; those and what tests. Each holds the one before."""
WITH_JARS = ("runtime", "development")

_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LockedPackage:
    """One package of a lock; `hashes` are the SHA-256 of its files, one of which is installed."""

    ecosystem: Literal["pypi", "maven"]
    name: str
    """Of a jar with its group before: `org.apache.kafka:kafka-clients`."""
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, by which programs of others know it (ECMA-427): an epoch's `!` is percent-encoded in it."""
        return f"pkg:{self.ecosystem}/{self.name.replace(':', '/')}@{quote(self.version, safe=':')}"


def locked(lock: str) -> list[LockedPackage]:
    """What a lock names, by name; raises EmbeddedError where the locks are not there: they are in a clone only."""
    try:
        text = (FOLDER / f"{lock}.txt").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise EmbeddedError(f"there is no lock {lock} here", "run it in a clone of Pledgewire", FAILED) from error
    found = list(_of_python(text))
    if lock in WITH_JARS:
        found += [
            LockedPackage("maven", f"{jar.group}:{jar.name}", jar.version, (jar.sha256,))
            for jar in locked_jars(JARS)[1]
        ]
    return sorted(found, key=lambda one: (one.ecosystem, one.name))


def _of_python(text: str) -> Iterator[LockedPackage]:
    for entry in _ENTRY.finditer(text):
        hashes = tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry["rest"])))
        yield LockedPackage("pypi", entry["name"].lower(), entry["version"], hashes)


def versions(lock: str, text: str | None = None) -> dict[str, str]:
    """The version of each package of Python in a lock, or in a text that is to become it."""
    packages = locked(lock) if text is None else _of_python(text)
    return {one.name: one.version for one in packages if one.ecosystem == "pypi"}
