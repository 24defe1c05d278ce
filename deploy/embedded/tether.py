"""Become another program that the kernel stops when our parent dies. Run as a file, never imported.

    python -I -S tether.py PARENT SIGNAL UID PROGRAM ARGUMENT...

PARENT is the pid that must still be there, SIGNAL what the kernel sends when it goes, UID a user to become, or -1.
A program of its own rather than a `preexec_fn`, since a fork that runs Python in a process with threads may hang; and
in this order, since changing the user clears the wish.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, signal, user = (int(argument) for argument in sys.argv[1:4])
    if user >= 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # the parent died before we asked to be told
    try:
        os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - that is all it is for
    except OSError as error:
        sys.stderr.write(f"{sys.argv[4]}: {error.strerror}\n")
        sys.exit(126)
