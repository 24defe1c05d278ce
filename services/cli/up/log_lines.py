"""`pledgewire logs`: the ends of the log files, as people read them, and what is added to them."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import NOT_FOUND
from services.cli.up.state_folder import InstanceFolder

LOOK_EVERY = 0.2
"""Seconds between two looks at what was added."""
BLOCK = 65_536
TOLD_APART = {"service", "time", "level", "logger", "message", "action"}
"""What a line shows in a place of its own, or not at all."""


def show_logs(folder: InstanceFolder, names: list[str], count: int, *, follow: bool, raw: bool) -> None:
    """Print the last lines of each log, oldest first, and go on with what comes if asked to; raises EmbeddedError."""
    files = chosen(folder.logs, names)
    found = [(line, name) for name, file in files.items() for line in last_lines(file, count)]
    for line, name in found if raw else sorted(found, key=lambda one: _time(one[0])):
        typer.echo(line if raw else shown(name, line))
    if follow:
        places = {name: file.stat().st_size for name, file in files.items()}
        while True:
            for name, file in files.items():
                for line in _added(name, file, places):
                    typer.echo(line if raw else shown(name, line))
            time.sleep(LOOK_EVERY)


def chosen(logs: Path, names: list[str]) -> dict[str, Path]:
    """The log files by the names of their processes; raises EmbeddedError for one that isn't there."""
    there = {file.stem: file for file in sorted(logs.glob("*.log"))}
    if not there or set(names) - set(there):
        missing = ", ".join(sorted(set(names) - set(there))) or "anything"
        raise EmbeddedError(
            f"there is no log of {missing} in {logs}",
            f"there are {', '.join(there)}" if there else "`pledgewire up` writes them; --state names another folder",
            NOT_FOUND,
        )
    return {name: there[name] for name in names or there}


def last_lines(file: Path, count: int) -> list[str]:
    """The last whole lines of a file, however long it is."""
    with file.open("rb") as opened:
        place = opened.seek(0, os.SEEK_END)
        text = b""
        while place > 0 and text.count(b"\n") <= count:
            step = min(BLOCK, place)
            place -= step
            opened.seek(place)
            text = opened.read(step) + text
    lines = text.decode(errors="replace").splitlines()
    return lines[-count:] if count else []


def shown(name: str, line: str) -> str:
    """A line as people read it: when, of whom, how grave, what, and what belongs to it."""
    entry = _entry(line)
    if entry is None:
        return f"{name:<10} {line}"
    more = " ".join(f"{key}={one}" for key, one in entry.items() if key not in TOLD_APART)
    words = f"{entry.get('message', '')}  {more}".rstrip()
    return f"{str(entry.get('time', ''))[:23]} {name:<10} {entry.get('level', ''):<7} {words}"


def _entry(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _time(line: str) -> str:
    """When a line was written, as text that sorts; the broker's and the database's begin with it."""
    entry = _entry(line)
    return (str(entry.get("time", "")) if entry else line[:23]).replace(" ", "T").replace(",", ".")


def _added(name: str, file: Path, places: dict[str, int]) -> Iterator[str]:
    """The whole lines behind the place of the last look; one that was emptied meanwhile is read from its beginning."""
    try:
        with file.open("rb") as opened:
            if opened.seek(0, os.SEEK_END) < places[name]:
                places[name] = 0
            opened.seek(places[name])
            whole, newline, _ = opened.read().rpartition(b"\n")
    except FileNotFoundError:
        return
    places[name] += len(whole) + len(newline)
    yield from whole.decode(errors="replace").splitlines()
