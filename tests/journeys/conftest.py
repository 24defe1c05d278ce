"""One instance for each module of journeys; the next module starts with empty topics and tables."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from services.cli.running_stack import RunningStack
from tests.journeys.instance import LiveInstance
from tests.journeys.starting import instance_of, prepared


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with prepared(tmp_path_factory.mktemp("instance")) as started:
        yield started


@pytest.fixture(scope="module")
def strange() -> Counter[str]:
    return Counter()


@pytest.fixture
async def instance(parts: RunningStack, strange: Counter[str]) -> AsyncIterator[LiveInstance]:
    """The instance; whatever a test has killed is up again for the next."""
    async with instance_of(parts) as made:
        made.doubled_before, made.strange = await made.doubled(), strange
        yield made
        for extra in [name for name in made.fleet.members if name.endswith("-2")]:
            made.fleet.stop(extra)
            del made.fleet.members[extra]
        made.fleet.revive()
        made.fleet.wait_ready()
