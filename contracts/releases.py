"""Releases of the contracts: folders in the tree, `released/<version>/`, that never change once they are there.

A release holds schemas, examples, the topics' cards, the AsyncAPI document, what has changed since the last one, and
the commit of the code that speaks them, so that this code can be run beside a newer one.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from contracts.compatibility.findings import Compatibility, ContractSet, Finding, findings

RELEASED = "released"
"""The folder of all releases, in `contracts/`."""
MANIFEST = "release.json"
CHANGES = "CHANGES.md"
_FROZEN = ("schemas/*.json", "examples/*.json", "cards.json", "asyncapi.yaml")
_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


class ReleaseRefused(ValueError):
    """This can't be released; `breaking` are the findings that forbid it, where it is for them."""

    def __init__(self, reason: str, breaking: Sequence[Finding] = ()) -> None:
        super().__init__(reason)
        self.breaking = tuple(breaking)


@dataclass(frozen=True)
class Release:
    """One that was made: `commit` is the code's, in the history that the release stands in."""

    version: str
    commit: str
    folder: Path
    hashes: dict[str, str]
    """SHA-256 of each file, by its path in the folder."""

    @property
    def major(self) -> int:
        """Within it nothing may break."""
        return numbers(self.version)[0]

    def contracts(self) -> ContractSet:
        """What it promises."""
        return contracts_in(self.folder)

    def tampered(self) -> list[str]:
        """Paths of files that are gone, were added, or are not as they were released."""
        there = {path: _sha256(self.folder / path) for path in _files(self.folder)}
        return sorted(path for path in {*there, *self.hashes} if there.get(path) != self.hashes.get(path))


def numbers(version: str) -> tuple[int, int, int]:
    """The parts of a version, such as 0.2.0; raises `ReleaseRefused` for what is none."""
    if not (match := _VERSION.fullmatch(version)):
        raise ReleaseRefused(f"{version!r} is no version such as 0.2.0")
    return int(match[1]), int(match[2]), int(match[3])


def releases(contracts: Path) -> list[Release]:
    """Every release of the tree, the oldest first."""
    found = []
    for manifest in (contracts / RELEASED).glob(f"*/{MANIFEST}"):
        said = json.loads(manifest.read_text(encoding="utf-8"))
        found.append(Release(said["version"], said["commit"], manifest.parent, said["files"]))
    return sorted(found, key=lambda release: numbers(release.version))


def contracts_in(folder: Path) -> ContractSet:
    """What a release's folder promises, or `contracts/` itself; raises `FileNotFoundError` where there are no cards."""
    cards = json.loads((folder / "cards.json").read_text(encoding="utf-8"))
    return ContractSet(
        schemas={
            path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "schemas").glob("*.json"))
        },
        cards={card["topic"]: card for card in cards},
    )


def breaking_since(
    made: Sequence[Release], now: ContractSet, major: int, today: date | None = None
) -> list[tuple[Release, Finding]]:
    """What breaks somebody who goes by a release of this major version, on this day."""
    return [
        (release, finding)
        for release in made
        if release.major == major
        for finding in findings(release.contracts(), now, today)
        if finding.is_breaking
    ]


def make_release(contracts: Path, version: str, commit: str, today: date | None = None) -> Release:
    """Write the folder of a release from what stands in `contracts/` now.

    Raises `ReleaseRefused` for a version that is there already or is older than another, and for what would break
    somebody who goes by an earlier release of the same major version.
    """
    major, made, now = numbers(version)[0], releases(contracts), contracts_in(contracts)
    if made and numbers(version) <= numbers(made[-1].version):
        raise ReleaseRefused(f"{made[-1].version} is released already, and {version} would not follow it")
    if breaking := breaking_since(made, now, major, today):
        against = ", ".join(dict.fromkeys(release.version for release, _ in breaking))
        raise ReleaseRefused(
            f"{version} would break who goes by {against}", list(dict.fromkeys(finding for _, finding in breaking))
        )
    folder = contracts / RELEASED / version
    in_the_making = folder.with_name(f".{version}")
    shutil.rmtree(in_the_making, ignore_errors=True)
    for pattern in _FROZEN:
        for path in sorted(contracts.glob(pattern)):
            copy = in_the_making / path.relative_to(contracts)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    _write(in_the_making / CHANGES, changelog(version, made[-1] if made else None, now, today))
    hashes = {path: _sha256(in_the_making / path) for path in _files(in_the_making)}
    manifest = {"version": version, "commit": commit, "files": hashes}
    _write(in_the_making / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    in_the_making.rename(folder)
    return Release(version, commit, folder, hashes)


def changelog(version: str, last: Release | None, now: ContractSet, today: date | None = None) -> str:
    """What has changed since the last release, for those who read and write the topics."""
    head = f"# Contracts {version}\n\n"
    if last is None:
        return head + "The first release: everything in it is new.\n"
    found = findings(last.contracts(), now, today)
    if not found:
        return head + f"As {last.version}: no topic and no schema has changed.\n"
    rows = [
        f"| {_cell(one.place)} | {_cell(one.what)} | {_bold(one.readers)} | {_bold(one.writers)} |\n" for one in found
    ]
    table = "| where | what | for readers | for writers |\n|---|---|---|---|\n" + "".join(rows)
    return head + f"What has changed since {last.version}.\n\n" + table


def _bold(verdict: Compatibility) -> str:
    return f"**{verdict}**" if verdict is Compatibility.BREAKING else str(verdict)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _files(folder: Path) -> list[str]:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if path != MANIFEST]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
