"""The broker's jars: named by coordinates in a committed lock, fetched once, believed only by their SHA-256.

jgo finds and downloads a jar, but it writes in place and only warns about a wrong checksum, so a cut download would
stay for ever. Each jar therefore lands in a folder of its own first, is compared with the lock, and is moved to its
place in one step; what isn't right is deleted and fetched once more. A run never reads POMs (jgo needs about twenty
seconds for them): `relock.py` did that.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.errors import EmbeddedError, file_error
from deploy.embedded.state import cache_folder

LOCK = Path(__file__).with_name("kafka.lock.toml")
MIRROR = "PLEDGEWIRE_MAVEN_MIRROR"
THREADS = 4
TIMEOUT = 30  # seconds without a byte before a download counts as broken
MARGIN = 16_000_000  # bytes kept free beside the download

Tick = Callable[[int], None]  # told of each piece that arrives, in bytes; it may raise to end the download
Fetch = Callable[["Jar", Path, Tick], Path]


@dataclass(frozen=True)
class Jar:
    """One jar of the broker; `size` in bytes."""

    group: str
    name: str
    version: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """Its name on disk. No two jars of the lock share one (a test looks)."""
        return f"{self.name}-{self.version}.jar"


def locked(lock: Path = LOCK) -> tuple[str, list[Jar]]:
    """Kafka's version and its jars, as the lock says."""
    content = tomllib.loads(lock.read_text())
    jars = []
    for line in content["jars"]:
        group, name, version = line["at"].split(":")
        jars.append(Jar(group, name, version, line["size"], line["sha256"]))
    return content["kafka"], jars


def checksum(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def maven_context(folder: Path, tick: Tick = lambda _: None) -> Any:
    """A jgo context that keeps what it downloads in `folder`, from the mirror if one is set."""
    # jgo takes 0.2 s to import, and only a fetch needs it.
    from jgo.maven import MavenContext, PythonResolver

    # What jgo would print about a checksum or a retry is said by us, in two lines, if it matters.
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    mirror = os.environ.get(MIRROR)
    remote = {"mirror": mirror.rstrip("/")} if mirror else None
    resolver = PythonResolver(progress_callback=lambda _name, _size: nullcontext(tick))
    return MavenContext(resolver, repo_cache=folder, remote_repos=remote, timeout=TIMEOUT)


def jar_at(context: Any, group: str, name: str, version: str) -> Path:
    """Download one jar by its coordinates, without its POM, and say where it lies."""
    path: Path = context.project(group, name).at_version(version).artifact().resolve()
    return path


def download(jar: Jar, folder: Path, tick: Tick) -> Path:
    """Fetch one jar with jgo into a folder of its own. Its content isn't checked here."""
    return jar_at(maven_context(folder, tick), jar.group, jar.name, jar.version)


def fetch(
    progress: Callable[[str], None] | None = None,
    *,
    cache: Path | None = None,
    lock: Path = LOCK,
    get: Fetch = download,
) -> Path:
    """Return the folder with every jar of the lock in it, downloading what is missing or damaged.

    Two runs at once wait for each other. Raises EmbeddedError when the network, the disk or a checksum is wrong.
    """
    version, jars = locked(lock)
    folder = (cache or cache_folder()) / f"kafka-{version}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(THREADS) as pool:
            good = list(pool.map(lambda jar: _is_good(folder / jar.filename, jar), jars))
        if all(good):
            return folder
        with _alone(folder, progress):
            missing = [jar for jar in jars if not _is_good(folder / jar.filename, jar)]
            _fetch_all(missing, folder, version, progress, get)
    except OSError as error:
        raise file_error(error, "keep Kafka's files", folder) from error
    return folder


def _is_good(path: Path, jar: Jar) -> bool:
    # The size first: it costs nothing and catches a cut file. All 46 checksums take about 0.1 s, which a start can
    # afford; a disk that lost a page does happen, and a broker that dies of it says nothing useful.
    try:
        return path.stat().st_size == jar.size and checksum(path) == jar.sha256
    except OSError:
        return False


@contextmanager
def _alone(folder: Path, progress: Callable[[str], None] | None) -> Iterator[None]:
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if progress:
                progress("Another run is fetching Kafka; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        # Nobody else downloads now, so whatever lies in a half-way folder was left by a run that was killed.
        for left in folder.glob(".half-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _fetch_all(jars: list[Jar], folder: Path, version: str, progress: Callable[[str], None] | None, get: Fetch) -> None:
    if not jars:
        return
    size = sum(jar.size for jar in jars)
    free = shutil.disk_usage(folder).free
    if free < size + MARGIN:
        raise EmbeddedError(
            f"no room for Kafka: {size / 1e6:.0f} MB are needed in {folder}, {free / 1e6:.0f} MB are free",
            "free some space there, or choose another folder with PLEDGEWIRE_CACHE",
        )
    if progress:
        progress(f"Fetching Kafka {version}: {len(jars)} files, {size / 1e6:.0f} MB, this once")
    cancelled = threading.Event()
    with _bar(size, progress) as advance, ThreadPoolExecutor(THREADS) as pool:

        def tick(step: int) -> None:
            # The only way to end a download that is under way, for Ctrl-C shouldn't wait for the rest of it.
            if cancelled.is_set():
                raise _CancelledError
            advance(step)

        running = [pool.submit(_fetch_one, jar, folder, get, tick) for jar in jars]
        try:
            for done in as_completed(running):
                done.result()
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _CancelledError(Exception):
    """Another jar failed, or the user had enough."""


def _fetch_one(jar: Jar, folder: Path, get: Fetch, tick: Tick) -> None:
    """Fetch, compare, move into place; a second try when the first was cut or wrong."""
    counted = 0

    def count(step: int) -> None:
        nonlocal counted
        tick(step)
        counted += step

    for attempt in (1, 2):
        with tempfile.TemporaryDirectory(prefix=".half-", dir=folder) as half:
            try:
                found = get(jar, Path(half), count)
            except _CancelledError:
                raise
            except Exception as error:
                # requests' errors are OSErrors without a number; those with one are about our disk.
                if isinstance(error, OSError) and error.errno:
                    raise
                if attempt == 2:
                    raise _unreachable(jar, error) from error
                continue
            if _is_good(found, jar):
                found.replace(folder / jar.filename)
                # What came without a length wasn't counted on its way, what came twice was counted twice.
                tick(jar.size - counted)
                return
            size = found.stat().st_size
    raise _wrong(jar, size)


def _unreachable(jar: Jar, error: Exception) -> EmbeddedError:
    reason = type(error).__name__
    if "No artifact" in str(error) or "not found" in str(error).lower():
        reason = "the repository doesn't have it"
    return EmbeddedError(
        f"could not download {jar.filename}: {reason}",
        f"check the network and the proxy settings (HTTPS_PROXY), or name a Maven mirror in {MIRROR}; "
        "what has arrived is kept",
    )


def _wrong(jar: Jar, size: int) -> EmbeddedError:
    if size != jar.size:
        return EmbeddedError(
            f"the download of {jar.filename} was broken twice: {size} of {jar.size} bytes",
            f"start again on a better connection, or name another Maven mirror in {MIRROR}",
        )
    return EmbeddedError(
        f"{jar.filename} isn't the file we know: its SHA-256 doesn't match the lock, twice",
        f"something on the way changes files: try another network or name another Maven mirror in {MIRROR}",
    )


@contextmanager
def _bar(size: int, progress: Callable[[str], None] | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line at each quarter elsewhere, nothing when nobody asked."""
    if progress is None:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        with Progress(
            BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
        ) as bar:
            task = bar.add_task("", total=size)
            yield lambda step: bar.advance(task, step)
    else:
        yield _quarters(size, progress)


def _quarters(size: int, progress: Callable[[str], None]) -> Callable[[int], None]:
    done = said = 0

    def advance(step: int) -> None:
        nonlocal done, said
        done += step
        if done * 4 // size > said:
            said = done * 4 // size
            progress(f"Fetching Kafka: {done / 1e6:.0f} of {size / 1e6:.0f} MB")

    return advance
