"""What the doctor makes of its looks: nothing that is broken breaks it, and what lies behind it is not asked."""

import asyncio

from services.cli.doctor.diagnosis import Check, Diagnosis, behind, examine, good, unknown, wrong


def check(name: str, finding: Diagnosis | Exception, seconds: float = 0.0) -> Check:
    async def look() -> Diagnosis:
        await asyncio.sleep(seconds)
        if isinstance(finding, Exception):
            raise finding
        return finding

    return Check(name, look, f"mend {name}")


async def test_a_check_that_breaks_or_does_not_end_is_what_is_wrong() -> None:
    found = await examine(
        [
            check("fine", good("fine", "it is")),
            check("broken", ConnectionError("no route\nto it")),
            check("silent", TimeoutError()),
            check("slow", good("slow", "it is"), seconds=30),
        ],
        longest=0.2,
    )
    assert [(one.name, one.ok, one.what) for one in found] == [
        ("fine", True, "it is"),
        ("broken", False, "ConnectionError: no route"),
        ("silent", False, "no answer within 0.2 s"),
        ("slow", False, "no answer within 0.2 s"),
    ]
    assert found[1].fix == "mend broken"


async def test_what_lies_behind_something_is_asked_only_where_that_can_be_reached() -> None:
    async def there() -> str:
        return "it answers"

    async def away() -> str:
        raise ConnectionRefusedError("nobody listens")

    inner = [check("inner", good("inner", "fine"))]
    assert [one.name for one in await examine([behind("outer", there, inner, "start it")])] == ["outer", "inner"]
    [only] = await examine([behind("outer", away, inner, "start it")])
    assert (only.ok, only.line()) == (False, "NO  outer: ConnectionRefusedError: nobody listens; start it")


def test_a_line_has_the_fix_where_something_is_wrong() -> None:
    assert good("disk", "roomy").line() == "ok  disk: roomy"
    assert wrong("disk", "full", "make room").line() == "NO  disk: full; make room"
    assert unknown("clock", "nobody says", "turn on NTP").line() == "--  clock: nobody says; turn on NTP"
