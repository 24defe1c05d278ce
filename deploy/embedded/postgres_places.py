"""Where PostgreSQL's data and socket lie, when `nobody` has to reach them and when the state folder is deep."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

PORT = 5432  # no TCP port: it is part of the socket's name
LONGEST_SOCKET = 107  # bytes, sun_path of Linux less its final zero
# Tried in this order, only as root. Where everyone may write, `outside` looks whose folder it is.
OUTSIDE = [Path("/var/lib/pledgewire"), Path("/var/tmp/pledgewire-root")]  # noqa: S108


def is_open_to_others(path: Path) -> bool:
    """Whether every folder down to this one may be walked through by anyone."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def outside() -> Path:
    """A folder of root's that everyone may walk through. Only root asks."""
    for folder in OUTSIDE:
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            found = folder.lstat()
            # In a folder where all may write, someone may have been there first.
            if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
                folder.chmod(0o755)
                (folder / "data").mkdir(mode=0o755, exist_ok=True)
                (folder / "data").chmod(0o755)
                if is_open_to_others(folder):
                    return folder
        except OSError:
            continue
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root, and none of {', '.join(map(str, OUTSIDE))} can be used for another user",
        "run as an ordinary user, or name a PostgreSQL elsewhere in DATABASE_URL",
    )


def data_outside(state: Path) -> Path:
    """The data's folder when the state lies where `nobody` can't go; a link in the state points at it.

    Raises EmbeddedError where it is gone, or can't be had.
    """
    link = state / "postgres"
    if link.is_dir() and not link.is_symlink():
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and another user can't reach its data in {link}",
            "let others walk through the folders above it (chmod o+x), or start with --reset",
        )
    if not link.is_symlink():
        name = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
        home = outside() / "data" / name
        # A state folder that was deleted by hand leaves its database behind, whose password nobody knows.
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, mode=0o755)
        link.symlink_to(home)
        (home / "owner.json").write_text(json.dumps({"state": str(state), "device": link.lstat().st_dev}))
        sweep_outside(home.parent)
    elif not link.exists():
        raise EmbeddedError(
            f"the database that belongs to {state} is gone from {link.readlink()}",
            "start with --reset to begin anew",
        )
    return link.resolve() / "postgres"


def forget_outside(state: Path) -> None:
    """Delete the data that lies outside a state folder, if any: for the time that folder is emptied."""
    link = state / "postgres"
    if link.is_symlink() and link.resolve().parent in [folder / "data" for folder in OUTSIDE]:
        shutil.rmtree(link.resolve(), ignore_errors=True)


def sweep_outside(homes: Path) -> None:
    """Delete the data of state folders that were deleted by hand, such as those of tests."""
    for home in homes.iterdir():
        try:
            owner = json.loads((home / "owner.json").read_text())
            state = Path(owner["state"])
            near = next(folder for folder in (state, *state.parents) if folder.exists())
            # A disk that isn't mounted looks like a deleted folder, but for the device below it.
            if near.stat().st_dev == owner["device"] and not (state / "postgres").is_symlink():
                shutil.rmtree(home)
        except (OSError, ValueError, KeyError, TypeError):
            continue


def new_socket_folder() -> Path:
    """A new folder for the socket, of a path that is short enough for one. Raises EmbeddedError where none can be."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - only mkdtemp writes there
        # Length in bytes, with the random part of the folder and the socket's own name.
        if len(os.fsencode(place)) + len(f"/pledgewire-12345678/.s.PGSQL.{PORT}") <= LONGEST_SOCKET:
            folder = Path(place)
            if folder.is_dir() and os.access(folder, os.W_OK) and (os.geteuid() or is_open_to_others(folder)):
                return Path(tempfile.mkdtemp(prefix="pledgewire-", dir=folder))
    raise EmbeddedError(
        "no folder for PostgreSQL's socket: its path may have 107 bytes, and the temporary folder's is longer",
        "set TMPDIR to a shorter path",
    )


def is_ours(folder: Path, user: int) -> bool:
    """Whether this is a folder of the user's that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user and stat.S_IMODE(found.st_mode) == 0o700
