"""What became of each row, in a file beside the one that was sent: written as answers come, read when it is sent again.

`updates.csv` has `updates.results.jsonl`. One line is one answer; of a report that has several, the last counts.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self

DONE = ("recorded", "known")
"""Results of rows that need not be sent again."""

Result = Mapping[str, Any]


def results_path(file: Path) -> Path:
    """Where the results of a file stand."""
    return file.with_name(f"{file.stem}.results.jsonl")


class Results:
    """The file of results, open to be added to. Every line is on the disk before the next rows are sent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.known: dict[str, Result] = {}
        """By the ids of reports, what is there from before."""

    def __enter__(self) -> Self:
        written = self._path.read_bytes() if self._path.exists() else b""
        for line in written.split(b"\n"):
            try:
                result = json.loads(line)
                self.known[result["report_id"]] = result
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a process that was killed, or somebody's own
        self._file = self._path.open("ab")
        if written and not written.endswith(b"\n"):
            self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, results: Iterable[Result]) -> None:
        """Write results, and wait until they are on the disk."""
        if self._file is None:
            raise RuntimeError("the file of results is not open")
        for result in results:
            self._file.write(json.dumps(result, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
