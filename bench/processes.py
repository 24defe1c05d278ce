"""What processes cost: CPU time between two looks, and memory with shared pages counted once."""

import time
from collections.abc import Iterator, Mapping

import psutil


class Meter:
    """CPU time of processes and all below them, between two looks."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before, self._began = self._look(), time.monotonic()

    def _look(self) -> dict[tuple[str, int], float]:
        found = {}
        for name, pid in self._pids.items():
            for process in _family(pid):
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                # What its children had used when it waited for their end counts as its own.
                found[name, process.pid] = times.user + times.system + times.children_user + times.children_system
        return found

    @property
    def seconds(self) -> float:
        """Seconds since the meter was made."""
        return time.monotonic() - self._began

    def spent(self) -> dict[str, float]:
        """CPU seconds since the meter was made, by component: `notifier-0` and `notifier-1` are one."""
        spent: dict[str, float] = {}
        look = self._look()
        for name, pid in {**self._before, **look}:
            kind = name.split("-")[0]
            # What has ended is in its parent's figure from then on, with what it had used before.
            more = look.get((name, pid), 0.0) - self._before.get((name, pid), 0.0)
            spent[kind] = spent.get(kind, 0.0) + more
        return spent


def memory(pids: Mapping[str, int]) -> dict[str, float]:
    """MiB (PSS) by component, those below them included."""
    found: dict[str, float] = {}
    for name, pid in pids.items():
        kind = name.split("-")[0]
        found[kind] = found.get(kind, 0.0) + sum(_pss(process) for process in _family(pid)) / 2**20
    return found


def _family(pid: int) -> Iterator[psutil.Process]:
    try:
        top = psutil.Process(pid)
        yield from (top, *top.children(recursive=True))
    except psutil.NoSuchProcess:
        return


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
