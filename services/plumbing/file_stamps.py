"""Whether files were written or replaced since one looked last."""

from pathlib import Path

Stamp = tuple[int, int, int] | None


def stamps(*files: Path) -> list[Stamp]:
    """What changes when a file is written or replaced, for each; None for one that is gone or can't be looked at."""
    found: list[Stamp] = []
    for file in files:
        try:
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        except OSError:
            found.append(None)
    return found
