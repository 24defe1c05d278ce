"""Sends reports to the registry in groups, and says of each row what became of it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from services.cli.report.columns import FileRow, RowRefused, column_of
from services.cli.service_client import ASKED_WRONGLY
from services.plumbing.retry import Backoff
from services.plumbing.sentences import Translate, said

GROUP_ROWS = 100
GROUP_BYTES = 200 * 1024
"""Well below what the registry takes in one body."""
_PASSING = {429, 502, 503, 504}


@dataclass(frozen=True)
class NumberedReport:
    """A row that can be sent."""

    row: int
    report: dict[str, Any]


class NotTaken(Exception):
    """The registry took none of a group, and would not if it was sent again: the key or the address is wrong."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(": ".join(filter(None, (str(problem.get("title") or status), problem.get("detail")))))
        self.status = status
        faults = problem.get("errors") or []
        self.how = "; ".join(f"{one.get('pointer', '')}: {one.get('detail', '')}" for one in faults) or "see --help"


class NoAnswer(Exception):
    """The registry did not answer for as long as it was asked."""


def groups(reports: Sequence[NumberedReport]) -> Iterator[list[NumberedReport]]:
    """The reports in their order, so many together as one request carries."""
    group: list[NumberedReport] = []
    size = 0
    for one in reports:
        length = len(json.dumps(one.report).encode()) + 1
        if group and (len(group) == GROUP_ROWS or size + length > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(one)
        size += length
    if group:
        yield group


class Registry:
    """The registry over one connection; a proxy of the environment is never used."""

    def __init__(self, url: str, key: str, language: str, *, is_dry_run: bool) -> None:
        self._url = url
        self._headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._parameters = {"dry_run": "true"} if is_dry_run else {}

    def __enter__(self) -> Self:
        import httpx2

        from deploy.embedded.errors import EmbeddedError

        try:
            self._client = httpx2.Client(base_url=self._url, headers=self._headers, timeout=60, trust_env=False)
        except (httpx2.InvalidURL, ValueError) as error:
            raise EmbeddedError(
                f"the registry can't be asked at {self._url}: {error}", "write --url as http://host:port", ASKED_WRONGLY
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer; raises OSError where there is none."""
        import httpx2

        try:
            answer = self._client.post("/status-updates", json=body, params=self._parameters)
            found = answer.json()
        except httpx2.UnsupportedProtocol as error:
            raise NotTaken(0, {"title": str(error)}) from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        return answer.status_code, found if isinstance(found, dict) else {}


class GroupPoster:
    """Posts groups; what passes by itself is tried again under the same ids, so that nothing is recorded twice."""

    def __init__(self, post: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]], *, tries: int = 8) -> None:
        self._post = post
        self._tries = tries

    def send(self, group: Sequence[NumberedReport]) -> list[dict[str, Any]]:
        """The result of each row, in their order; raises `NotTaken` and `NoAnswer`."""
        backoff = Backoff(longest=10.0, first=0.2)
        for left in reversed(range(self._tries)):
            try:
                status, body = self._post({"reports": [one.report for one in group]})
            except OSError as error:
                if not left:
                    raise NoAnswer(str(error) or type(error).__name__) from error
            else:
                if status == 200:
                    return [result_line(one, found) for one, found in zip(group, body["results"], strict=True)]
                if status not in _PASSING:
                    raise NotTaken(status, body)
                if not left:
                    raise NoAnswer(str(body.get("title") or status))
            time.sleep(backoff.pause)
            backoff.grow()
        raise AssertionError("the last try answers or raises")


def result_line(one: NumberedReport, found: dict[str, Any]) -> dict[str, Any]:
    """What is kept of the registry's answer on a row."""
    line = {"row": one.row, "report_id": one.report["report_id"], "result": found["result"]}
    for name in ("event_id", "version", "current", "recorded_at"):
        if found.get(name) is not None:
            line[name] = found[name]
    if problem := found.get("problem"):
        (first, *_) = problem.get("errors") or [{}]
        line["type"] = problem["type"]
        line["code"] = first.get("code") or problem["type"].rpartition("/")[2]
        line["column"] = column_of(first.get("pointer", ""))
        line["detail"] = first.get("detail") or problem.get("detail") or problem["title"]
    return line


def refused_line(row: FileRow, refused: RowRefused, translate: Translate) -> dict[str, Any]:
    """The result of a row that could not be sent."""
    return {
        "row": row.number,
        "report_id": None,
        "result": "refused",
        "type": "/problems/invalid",
        "code": "unreadable-row",
        "column": refused.column,
        "detail": said(refused.sentence, translate),
    }
