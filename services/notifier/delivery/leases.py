"""Leases: the name under which a process claims deliveries, and those of which it never learned whether it got them.

When the database falls over a commit, the rows may be claimed and nobody knows it: they would wait until the lease runs
out. Who asked for them never had them in hand, so it can put them back as soon as the database answers again, and
unlike a lost lease's nothing of them can have been sent.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4


class Leases:
    """The leases of one process. `seconds`: how long a claim keeps others away."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._doubtful: dict[UUID, float] = {}

    @contextmanager
    def claiming(self) -> Iterator[UUID]:
        """A lease for one claim, which counts as in doubt if what is done with it does not come to its end."""
        lease = uuid4()
        try:
            yield lease
        except BaseException:
            self._doubtful[lease] = time.monotonic()
            raise

    def in_doubt(self) -> list[UUID]:
        """Those to be put back, again and again until they would have run out: a commit may still be on its way."""
        oldest = time.monotonic() - self.seconds
        self._doubtful = {lease: since for lease, since in self._doubtful.items() if since > oldest}
        return list(self._doubtful)
