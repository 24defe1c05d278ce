"""A child ends with its parent; what is found later is stopped only if it is the very process that was noted."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from deploy.embedded.processes import Child, Identity, clean_up

ROOT = Path(__file__).resolve().parents[2]
SLEEP = ["/bin/sleep", "60"]


def start(tmp_path: Path, program: list[str] = SLEEP) -> Child:
    return Child.start(program, note=tmp_path / "it.pid", output=tmp_path / "out", at_death=signal.SIGKILL)


def test_a_stranger_with_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    """The note's pid is alive, but its start time says that it is somebody else."""
    with subprocess.Popen(SLEEP) as stranger:
        note = tmp_path / "kafka-0.pid"
        note.write_text(json.dumps({"pid": stranger.pid, "started": "another boot/1"}))

        found = clean_up(tmp_path)

        assert found == []
        assert stranger.poll() is None
        assert not note.exists()
        stranger.kill()


def test_a_leftover_is_stopped_with_its_children(tmp_path: Path) -> None:
    """The noted process and what it started are gone afterwards."""
    with subprocess.Popen(
        ["/bin/sh", "-c", "sleep 60 & echo started; wait"], stdout=subprocess.PIPE, start_new_session=True
    ) as left:
        assert left.stdout
        left.stdout.readline()
        identity = Identity.of(left.pid)
        assert identity
        family = identity.family()
        (tmp_path / "kafka-0.pid").write_text(json.dumps({"pid": identity.pid, "started": identity.started}))

        found = clean_up(tmp_path)

        assert found == ["kafka-0"]
        assert len(family) == 2
        assert not any(member.alive for member in family)


def test_a_damaged_note_is_thrown_away(tmp_path: Path) -> None:
    """Half a note names nobody."""
    (tmp_path / "kafka-0.pid").write_text('{"pid": 1')

    assert clean_up(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """To the kernel the parent is a thread; ours stays."""
    children = []
    thread = threading.Thread(target=lambda: children.append(start(tmp_path)))
    thread.start()
    thread.join()

    assert not Identity.wait(children[0].identity, 0.3)
    children[0].kill()


def test_a_child_dies_with_its_killed_parent(tmp_path: Path) -> None:
    """kill -9 of the parent leaves nobody."""
    code = f"""
        import sys, signal
        from pathlib import Path
        from deploy.embedded.processes import Child
        child = Child.start({SLEEP!r}, note=Path("it.pid"), output=Path("out"), at_death=signal.SIGKILL)
        print(child.pid, flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout
        child = Identity.of(int(parent.stdout.readline()))
        assert child

        parent.kill()

        assert child.wait(5)


def test_a_child_that_ignores_us_is_killed(tmp_path: Path) -> None:
    """Patience ends."""
    child = start(tmp_path, ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    while not (tmp_path / "out").read_text():
        threading.Event().wait(0.01)

    child.stop(signal.SIGTERM, 0.1)

    assert child.ended == -signal.SIGKILL
    assert not (tmp_path / "it.pid").exists()


def test_a_program_that_is_missing_says_so(tmp_path: Path) -> None:
    """Its output names the file and the reason."""
    child = start(tmp_path, ["/no/such/program"])

    assert child.identity.wait(5)
    assert "/no/such/program: No such file or directory" in (tmp_path / "out").read_text()
    child.kill()
