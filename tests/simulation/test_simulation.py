"""The simulation itself: a seed decides everything, so that whatever it finds can be seen again."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import FreshDatabase

SEEDS = (3, 5, 14)


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({})


def simulated(url: str, *options: str) -> list[dict[str, object]]:
    """The runs of a simulation in a process of its own, as its real event loop stands still while a story is played."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--database", url, "--json", *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_a_seed_plays_the_same_story_each_time(url: str):
    first, second = (
        [run for seed in order for run in simulated(url, "--seed", str(seed))] for order in (SEEDS, reversed(SEEDS))
    )
    assert {run["seed"]: run["fingerprint"] for run in first} == {run["seed"]: run["fingerprint"] for run in second}
    assert len({run["fingerprint"] for run in first}) == len(SEEDS)
