"""Runs seeds: one world each, over one real database."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.plumbing.failpoints import failpoint as _real_failpoint  # noqa: F401  it must be loaded to be replaced
from tests.simulation.database import Ground
from tests.simulation.evidence import evidence_of
from tests.simulation.invariants import broken_promises
from tests.simulation.loop import OWNER, NothingToDo
from tests.simulation.sources import from_the_seed
from tests.simulation.story import Story
from tests.simulation.world import World


@dataclass
class Run:
    """How one seed went."""

    seed: int
    fingerprint: str
    broken: list[str] = field(default_factory=list)
    steps: int = 0
    receipts: int = 0
    tried: list[str] = field(default_factory=list)


class Killed(BaseException):
    """The process that reached a failpoint is no more."""


def run_seed(seed: int, ground: Ground, tell: Callable[[str], None] | None = None) -> Run:
    """Play one seed's story and say which promises did not hold."""
    ground.empty()
    world = World(seed, ground, tell=tell)
    run = Run(seed, "")

    def failpoint(name: str) -> None:
        process = OWNER.get()
        if process is not None and not world.calm and world.chance(world.menu.die):
            world.trace("dies at", process, name)
            world.kill(process)  # type: ignore[arg-type]
            raise Killed

    world.loop.set_exception_handler(lambda *_: None)
    with from_the_seed(world, failpoint), _loop_closed(world):
        try:
            story: Story | None = None

            async def play() -> None:
                nonlocal story
                story = Story(world)
                await story.play()

            world.loop.run_until_complete(play())
        except AssertionError as error:
            run.broken.append(str(error))
        assert story is not None
        run.broken += broken_promises(evidence_of(world, story))
        run.fingerprint, run.steps, run.tried = world.fingerprint, world.steps, world.tried
        run.receipts = len(story.receivers.receipts)
    return run


@contextlib.contextmanager
def _loop_closed(world: World) -> Iterator[None]:
    """What is left over afterwards, dead processes too, is cancelled where it stands; the database knows none of it."""
    try:
        yield
    finally:
        world.over = True
        for process in world.processes:
            process.revive()
        while tasks := asyncio.all_tasks(world.loop):
            for task in tasks:
                task.cancel()
            with contextlib.suppress(NothingToDo):
                world.loop.run_until_complete(asyncio.wait(tasks))
        world.loop.close()
