"""What is fetched is believed by its SHA-256 only, whatever the network does."""

import hashlib
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedError, jars

# jgo doesn't close the connection of an answer that was no file.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

GOOD = b"a jar" * 1000
PATH = "/org/example/thing/1.0/thing-1.0.jar"


class Mirror(http.server.ThreadingHTTPServer):
    """A Maven repository with one jar, which it serves badly when told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.bad: list[str] = []
        self.asked: Counter[str] = Counter()


class Answer(http.server.BaseHTTPRequestHandler):
    """The mirror's answers; every failure happens on the wire, as it would."""

    server: Mirror

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.path != PATH:
            self.send_error(404)
            return
        fault = self.server.bad.pop(0) if self.server.bad else ""
        body = GOOD.swapcase() if fault == "changed" else GOOD
        if fault == "refused":
            self.send_error(503)
            return
        self.send_response(200)
        if fault != "cut without a length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if fault.startswith("cut") else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv(jars.MIRROR, f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    digest = hashlib.sha256(GOOD).hexdigest()
    path = tmp_path / "lock.toml"
    path.write_text(
        f'kafka = "9"\njars = [{{ at = "org.example:thing:1.0", size = {len(GOOD)}, sha256 = "{digest}" }}]\n'
    )
    return path


def in_cache(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


@pytest.mark.parametrize("fault", ["", "cut", "cut without a length", "changed", "refused"])
def test_one_bad_download_is_made_good_by_the_second(tmp_path: Path, lock: Path, mirror: Mirror, fault: str) -> None:
    """A cut, changed or refused download is thrown away and fetched once more."""
    mirror.bad = [fault]

    folder = jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert (folder / "thing-1.0.jar").read_bytes() == GOOD
    assert in_cache(folder) == ["thing-1.0.jar"]
    assert mirror.asked[PATH] == (2 if fault else 1)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("cut without a length", "the download of thing-1.0.jar was broken twice: 100 of 5000 bytes"),
        ("changed", "thing-1.0.jar isn't the file we know: its SHA-256 doesn't match the lock, twice"),
        ("refused", "could not download thing-1.0.jar"),
    ],
)
def test_two_bad_downloads_are_reported_in_two_lines(
    tmp_path: Path, lock: Path, mirror: Mirror, fault: str, what: str
) -> None:
    """Nothing bad stays behind, and the message names the file and a way out."""
    mirror.bad = [fault, fault]

    with pytest.raises(EmbeddedError) as caught:
        jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert caught.value.what.startswith(what)
    assert jars.MIRROR in caught.value.how
    assert len(str(caught.value).splitlines()) == 2
    assert in_cache(tmp_path / "cache" / "kafka-9") == []
    assert mirror.asked[PATH] == 2


def test_a_jar_that_was_damaged_later_is_fetched_again(tmp_path: Path, lock: Path, mirror: Mirror) -> None:
    """A byte that changed on the disk is noticed at the next start, although the size is right."""
    folder = jars.fetch(cache=tmp_path / "cache", lock=lock)
    (folder / "thing-1.0.jar").write_bytes(b"B" + GOOD[1:])

    jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert (folder / "thing-1.0.jar").read_bytes() == GOOD


def test_what_is_there_needs_no_network(tmp_path: Path, lock: Path, mirror: Mirror) -> None:
    """The second time nobody is asked."""
    jars.fetch(cache=tmp_path / "cache", lock=lock)
    mirror.asked.clear()

    jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert not mirror.asked


def test_a_run_killed_while_fetching_leaves_nothing_in_the_way(tmp_path: Path, lock: Path, mirror: Mirror) -> None:
    """A half-way folder of a killed run is swept away by the next fetch."""
    half = tmp_path / "cache" / "kafka-9" / ".half-killed"
    half.mkdir(parents=True)
    (half / "thing-1.0.jar").write_bytes(GOOD[:10])

    folder = jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert in_cache(folder) == ["thing-1.0.jar"]


def test_a_full_disk_is_told_before_the_download(
    tmp_path: Path, lock: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how much is needed and where, and nothing is asked for."""
    monkeypatch.setattr(jars.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))

    with pytest.raises(EmbeddedError, match="no room for Kafka") as caught:
        jars.fetch(cache=tmp_path / "cache", lock=lock)

    assert "PLEDGEWIRE_CACHE" in caught.value.how
    assert not mirror.asked


def test_the_bar_counts_each_byte_once(tmp_path: Path, lock: Path, mirror: Mirror) -> None:
    """A second try, and an answer without a length, leave the count where it belongs."""
    mirror.bad = ["changed", "cut without a length"]
    said: list[str] = []
    with pytest.raises(EmbeddedError):
        jars.fetch(said.append, cache=tmp_path / "cache", lock=lock)

    mirror.bad = ["changed"]
    jars.fetch(said.append, cache=tmp_path / "cache", lock=lock)

    assert said[-1] == "Fetching Kafka: 0 of 0 MB"
    assert said[0] == "Fetching Kafka 9: 1 files, 0 MB, this once"


def test_one_failure_ends_the_other_downloads(tmp_path: Path) -> None:
    """What is under way isn't waited for: the next piece that arrives is its last."""
    lines = [f'{{ at = "org.example:{name}:1.0", size = 9, sha256 = "" }}' for name in ("broken", "endless")]
    lock = tmp_path / "lock.toml"
    lock.write_text(f'kafka = "9"\njars = [{", ".join(lines)}]\n')
    under_way = threading.Event()

    def get(jar: jars.Jar, _: Path, tick: jars.Tick) -> Path:
        if jar.name == "broken":
            under_way.wait(5)
            raise ConnectionError
        while True:
            tick(0)
            under_way.set()

    with pytest.raises(EmbeddedError, match=r"could not download broken-1\.0\.jar"):
        jars.fetch(cache=tmp_path / "cache", lock=lock, get=get)


def test_the_lock_has_what_the_broker_needs() -> None:
    """One version of Kafka, the binding without which its log is lost, and no two jars of one name."""
    version, locked = jars.locked()

    assert {jar.version for jar in locked if jar.group == "org.apache.kafka"} == {version}
    assert "log4j-slf4j-impl" in {jar.name for jar in locked}
    assert len({jar.filename for jar in locked}) == len(locked)
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
