"""The one exception of the embedded parts, made to be printed as two lines."""

from __future__ import annotations

import errno
from pathlib import Path


class EmbeddedError(Exception):
    """What went wrong and how to mend it, each a single line without a full stop or a trace."""

    def __init__(self, what: str, how: str, status: int = 1) -> None:
        """Keep both halves; the command line prints `error: <what>` and `help: <how>`, and exits with the status."""
        super().__init__(what)
        self.status = status
        self.what = " ".join(what.split())
        self.how = " ".join(how.split())

    def __str__(self) -> str:
        """Both lines, for whoever prints the exception itself."""
        return f"error: {self.what}\nhelp: {self.how}"


def file_error(error: OSError, doing: str, where: Path) -> EmbeddedError:
    """Say in two lines why a file operation on `where` failed, `doing` naming it ("keep Kafka's files")."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EmbeddedError(
            f"no room to {doing}: the disk of {where} is full",
            "free some space there, or choose another disk with PLEDGEWIRE_CACHE and PLEDGEWIRE_STATE",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return EmbeddedError(
            f"not allowed to {doing} in {where}: {error.strerror}",
            "make the folder writable for this user, or choose others with PLEDGEWIRE_CACHE and PLEDGEWIRE_STATE",
        )
    if error.errno == errno.ENOENT and doing.startswith("read"):
        return EmbeddedError(f"could not {doing}: there is no such file in {where}", "name one that is there")
    return EmbeddedError(f"could not {doing} in {where}: {error.strerror or error}", "mend the folder and start again")
