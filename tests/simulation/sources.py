"""Takes from production modules what comes from outside of them: clocks, chance, ids and failpoints.

Whatever module of `services` reads one of these gets the simulation's in its place, new modules too, so that none can
be forgotten.
"""

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from services.plumbing import failpoints, ids

if TYPE_CHECKING:
    from tests.simulation.world import World


class _Time:
    """The module `time` of the simulation."""

    def __init__(self, world: "World") -> None:
        self.monotonic = world.monotonic
        self.perf_counter = world.monotonic

    def time(self) -> float:
        return 1.7e9 + self.monotonic()

    def time_ns(self) -> int:
        return int(self.time() * 1e9)

    def monotonic_ns(self) -> int:
        return int(self.monotonic() * 1e9)


def _replacements(world: "World", failpoint: Callable[[str], None]) -> list[tuple[Any, Any]]:
    virtual = _Time(world)
    return [
        (time, virtual),
        (time.monotonic, virtual.monotonic),
        (time.perf_counter, virtual.perf_counter),
        (time.time, virtual.time),
        (random, world.random),
        (random.random, world.random.random),
        (uuid.uuid4, world.new_id),
        (ids.new_id, world.new_id),
        (failpoints.failpoint, failpoint),
    ]


@contextmanager
def from_the_seed(world: "World", failpoint: Callable[[str], None]) -> Iterator[None]:
    """While it lasts, production modules know no other time and chance than the world's."""
    kept: list[tuple[dict[str, Any], str, Any]] = []
    replacements = {id(real): (real, ours) for real, ours in _replacements(world, failpoint)}
    for name, module in list(sys.modules.items()):
        if not name.startswith("services.") or name.startswith("services.cli"):
            continue
        names = vars(module)
        for attribute, value in list(names.items()):
            if (found := replacements.get(id(value))) is not None:
                kept.append((names, attribute, value))
                names[attribute] = found[1]
    try:
        yield
    finally:
        for names, attribute, value in kept:
            names[attribute] = value


def hashes_are_fixed() -> bool:
    """Whether sets of strings have the same order in every run."""
    return os.environ.get("PYTHONHASHSEED") == "0"
