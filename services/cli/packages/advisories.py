"""What is known against the packages of a lock, asked of a service that speaks as OSV does (osv.dev)."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import httpx2

from services.cli.packages.locked import FOLDER, LockedPackage

SERVICE = "https://api.osv.dev"
ACCEPTED = FOLDER / "advisories.toml"
_AT_ONCE = 500
"""Packages in one question; the service takes a thousand."""


class NotReached(Exception):
    """The service gave no answer that we could read; the text says why."""


@dataclass(frozen=True)
class Advisory:
    """Something that is known against a package."""

    package: LockedPackage
    id: str
    summary: str


@dataclass(frozen=True)
class AcceptedAdvisory:
    """One that doesn't concern us, for a stated reason, until a day on which somebody looks again."""

    id: str
    reason: str
    until: date


def accepted_ids(today: date) -> frozenset[str]:
    """The ids of those that are accepted today."""
    try:
        content = tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    entries = [AcceptedAdvisory(**one) for one in content.get("accepted", [])]
    return frozenset(one.id for one in entries if one.until >= today)


def advisories(packages: Sequence[LockedPackage], service: str = SERVICE, *, timeout: float = 20) -> list[Advisory]:
    """All that is known, in the order of the packages; raises `NotReached`. `timeout` is in seconds, for a question."""
    found: list[tuple[LockedPackage, str]] = []
    with httpx2.Client(base_url=service, timeout=timeout) as http:
        try:
            for start in range(0, len(packages), _AT_ONCE):
                found += _asked(http, packages[start : start + _AT_ONCE])
            summaries = {id_: _summary(http, id_) for id_ in sorted({id_ for _, id_ in found})}
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise NotReached(f"{type(error).__name__}: {str(error)[:200]}") from error
    return [Advisory(package, id_, summaries[id_]) for package, id_ in found]


def _asked(http: httpx2.Client, packages: Iterable[LockedPackage]) -> list[tuple[LockedPackage, str]]:
    """Each package with the ids against it; a long list comes in pages, for those packages alone."""
    found: list[tuple[LockedPackage, str]] = []
    waiting: list[tuple[LockedPackage, str | None]] = [(one, None) for one in packages]
    while waiting:
        queries = [{"package": {"purl": one.purl}} | ({"page_token": token} if token else {}) for one, token in waiting]
        answer = http.post("/v1/querybatch", json={"queries": queries}).raise_for_status().json()
        results = list(zip(waiting, answer["results"], strict=True))
        found += [(one, known["id"]) for (one, _), result in results for known in result.get("vulns", [])]
        waiting = [(one, result["next_page_token"]) for (one, _), result in results if result.get("next_page_token")]
    return found


def _summary(http: httpx2.Client, id_: str) -> str:
    known = http.get(f"/v1/vulns/{id_}").raise_for_status().json()
    return str(known.get("summary") or known.get("details", "").partition("\n")[0])[:200]
