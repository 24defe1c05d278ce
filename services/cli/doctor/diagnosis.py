"""What a look at one thing gives, and how several looks are taken at once, none of them for long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

LONGEST = 20.0
"""Seconds for one check; whoever does not answer by then is what is wrong."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing, whether it is as it should be, what was found, and the one thing that mends it.

    `ok` is None where it does not apply or can't be said from here; then `fix` may be a hint.
    """

    name: str
    ok: bool | None
    what: str
    fix: str = ""

    def line(self) -> str:
        """For people: one line, with the fix in it."""
        word = {True: "ok ", False: "NO ", None: "-- "}[self.ok]
        return f"{word} {self.name}: {self.what}" + (f"; {self.fix}" if self.fix and self.ok is not True else "")


@dataclass(frozen=True)
class Check:
    """One thing to look at, by name. `look` may raise, which is wrong too; `fix` is for that."""

    name: str
    look: Callable[[], Awaitable[Diagnosis | Sequence[Diagnosis]]]
    fix: str


def good(name: str, what: str) -> Diagnosis:
    """It is as it should be."""
    return Diagnosis(name, True, what)


def wrong(name: str, what: str, fix: str) -> Diagnosis:
    """It is not, and this mends it."""
    return Diagnosis(name, False, what, fix)


def unknown(name: str, what: str, fix: str = "") -> Diagnosis:
    """It does not apply here, or can't be seen."""
    return Diagnosis(name, None, what, fix)


def behind(name: str, reach: Callable[[], Awaitable[str]], checks: Sequence[Check], fix: str) -> Check:
    """A check whether something can be reached, and the checks behind it, which are only made if it can."""

    async def look() -> Sequence[Diagnosis]:
        return [good(name, await reach()), *await examine(checks)]

    return Check(name, look, fix)


async def examine(checks: Sequence[Check], longest: float = LONGEST) -> list[Diagnosis]:
    """Look at all at once; the findings in the order of the checks."""
    found = await asyncio.gather(*(_examined(check, longest) for check in checks))
    return [finding for findings in found for finding in findings]


async def _examined(check: Check, longest: float) -> Sequence[Diagnosis]:
    try:
        async with asyncio.timeout(longest):
            found = await check.look()
    except TimeoutError:
        return [wrong(check.name, f"no answer within {longest:g} s", check.fix)]
    except Exception as error:
        # A doctor that falls over what is broken is none. Of the error no more than its first line.
        kind, said = type(error).__name__, (str(error).splitlines() or [""])[0][:200]
        return [wrong(check.name, said if said.startswith(kind) else f"{kind}: {said}".rstrip(": "), check.fix)]
    return [found] if isinstance(found, Diagnosis) else list(found)
