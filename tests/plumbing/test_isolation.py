"""After a failed batch its items are worked on one by one, and only what can't work is left out."""

import pytest

from services.plumbing.isolation import LONGEST_REASON, SYSTEMIC, is_systemic, one_by_one, reason_of
from services.plumbing.refusals import RefusedByRule
from services.plumbing.transient_errors import Unavailable


async def test_what_fails_by_itself_is_named_and_the_others_are_done() -> None:
    seen = []

    async def work(item: str) -> int:
        seen.append(item)
        if item == "broken":
            raise ValueError("it can't be read")
        return 2

    done, failed = await one_by_one(["first", "broken", "last"], work, "items work")

    assert done == 4
    assert {item: str(error) for item, error in failed.items()} == {"broken": "it can't be read"}
    assert seen == ["first", "broken", "last"]


async def test_a_transient_error_ends_it_at_once() -> None:
    seen = []

    async def work(item: str) -> int:
        seen.append(item)
        raise Unavailable("the database is away")

    with pytest.raises(Unavailable):
        await one_by_one(["first", "second"], work, "items work")
    assert seen == ["first"]


@pytest.mark.parametrize(
    ("count", "working", "systemic"), [(SYSTEMIC, 0, True), (SYSTEMIC - 1, 0, False), (SYSTEMIC, 1, False)]
)
async def test_where_nothing_works_no_single_item_is_to_blame(count: int, working: int, systemic: bool) -> None:
    async def work(item: str) -> int:
        if int(item) < working:
            return 1
        raise ValueError(item)

    items = [str(number) for number in range(count)]

    if systemic:
        with pytest.raises(RuntimeError, match=f"none of {count} items work"):
            await one_by_one(items, work, "items work")
    else:
        done, failed = await one_by_one(items, work, "items work")
        assert (done, len(failed)) == (working, count - working)


@pytest.mark.parametrize(
    ("refused", "faults", "worked", "systemic"),
    [(3 * SYSTEMIC, 0, 0, False), (SYSTEMIC, SYSTEMIC - 1, 0, False), (1, SYSTEMIC, 0, True), (1, SYSTEMIC, 1, False)],
)
def test_refusals_are_answers_and_hide_no_fault(refused: int, faults: int, worked: int, systemic: bool) -> None:
    failures: list[Exception] = [RefusedByRule("stale")] * refused + [KeyError("a defect")] * faults

    assert is_systemic(failures, worked) is systemic


def test_a_reason_fits_into_a_table() -> None:
    assert reason_of(ValueError("a\0b")) == "ValueError: ab"
    assert len(reason_of(ValueError("x" * 2 * LONGEST_REASON))) == LONGEST_REASON
