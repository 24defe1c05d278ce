"""A subscription's own ladder of reminders: its forms, its short notation, and which changes are for the scheduler.

People write `-14d, -3bd 09:00, 0 08:30, +2w`: days, business days, weeks or months before (-) or after (+) the last
day, 0 for the day itself, and a time of day on the reader's clock, 09:00 where none is given.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from contracts.events import LadderChosen, LadderHolidays, LadderRung, Step
from contracts.text import fit
from contracts.vocabulary import CountryCode, WallTime
from services.plumbing.business_days import holiday_regions
from services.plumbing.http.forms import RequestModel
from services.plumbing.sentences import Sentence

MOST_RUNGS = 20
MOST_DAYS = {"d": 3660, "bd": 2610, "w": 522, "m": 120}
"""The longest step in each unit, about ten years: beyond it nobody remembers what is reminded of."""
USUAL_TIME = "09:00"

_LONGEST_SHORT = 1000
_SHORT = re.compile(r"(?P<sign>[-+−]?) ?(?P<count>\d{1,5}) ?(?P<unit>bd|d|w|m|)(?: +(?P<at>\S+))?", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_STEP = re.compile(r"(before|after)-(\d+)(d|bd|w|m)", re.ASCII)


def rungs_in_short(text: str) -> list[dict[str, str]]:
    """Rungs written in short, as `OwnRung` takes them; raises ValueError that says which one can't be read.

    >>> rungs_in_short("-3bd 08:30, 0")
    [{'step': 'before-3bd', 'at': '08:30'}, {'step': 'on-the-day', 'at': '09:00'}]
    """
    return [_rung_in_short(part.strip()) for part in text.split(",")]


def _rung_in_short(part: str) -> dict[str, str]:
    read = _SHORT.fullmatch(part)
    if read is None:
        raise ValueError(
            Sentence(
                "`%(part)s` is no rung: write -14d, -3bd 09:00, 0 08:30 or +2w, separated by commas", part=part[:40]
            )
        )
    sign, count, unit, at = read["sign"].replace("−", "-"), int(read["count"]), read["unit"], read["at"] or USUAL_TIME
    if not _TIME.fullmatch(at):
        raise ValueError(
            Sentence("`%(at)s` in `%(part)s` is no time of day from 00:00 to 23:59", at=at[:20], part=part[:40])
        )
    if count == 0:
        return {"step": "on-the-day", "at": at}
    if not sign:
        raise ValueError(
            Sentence("`%(part)s` does not say whether it is before (-) or after (+) the last day", part=part[:40])
        )
    if not unit:
        raise ValueError(
            Sentence("`%(part)s` does not say what it counts: d, bd (business days), w or m", part=part[:40])
        )
    return {"step": f"{'before' if sign == '-' else 'after'}-{count}{unit}", "at": at}


def _plannable_step(step: str) -> str:
    if step.startswith("review-"):
        raise ValueError(Sentence("reviews come of themselves; a ladder has steps before, on and after the last day"))
    if (counted := _STEP.fullmatch(step)) and int(counted[2]) > MOST_DAYS[counted[3]]:
        raise ValueError(
            Sentence(
                "a step counts at most %(most_days)s%(counted)s", most_days=MOST_DAYS[counted[3]], counted=counted[3]
            )
        )
    return step


def _from_short(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return rungs_in_short(fit(value, _LONGEST_SHORT) if value.strip() else "")


def _steps_once(rungs: "tuple[OwnRung, ...]") -> "tuple[OwnRung, ...]":
    steps = [rung.step for rung in rungs]
    if twice := sorted({step for step in steps if steps.count(step) > 1}):
        raise ValueError(Sentence("a ladder has each step once, and %(twice)s is there twice", twice=twice[0]))
    return rungs


class OwnRung(RequestModel):
    """One reminder: so long before or after the last day, at a time of day on the subscription's clock."""

    step: Annotated[Step, AfterValidator(_plannable_step)]
    at: WallTime = USUAL_TIME


class HolidayRegion(RequestModel):
    """Whose public holidays are no business days: a country's, or one of its states' or provinces'."""

    country: CountryCode
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$")] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> "HolidayRegion":
        known = holiday_regions().get(self.country)
        if known is None:
            raise ValueError(Sentence("no holidays are known of %(country)s", country=self.country))
        if self.subdivision is not None and self.subdivision not in known:
            named = ", ".join(sorted(known)) or "none"
            raise ValueError(
                Sentence(
                    "no holidays are known of %(country)s-%(subdivision)s; known are: %(named)s",
                    country=self.country,
                    subdivision=self.subdivision,
                    named=named,
                )
            )
        return self


_DAYS_SHORT = "(?:[-+−] ?[0-9]{1,5} ?(?:bd|d|w|m)|[-+−]? ?0{1,5} ?(?:bd|d|w|m)?)"
_RUNG_SHORT = f" *{_DAYS_SHORT}(?: +{_TIME.pattern})? *"
_RungsAsSent = (
    Annotated[tuple[OwnRung, ...], Field(min_length=1, max_length=MOST_RUNGS)]
    | Annotated[
        str,
        StringConstraints(
            pattern=f"^{_RUNG_SHORT}(?:,{_RUNG_SHORT}){{0,{MOST_RUNGS - 1}}}$", min_length=1, max_length=_LONGEST_SHORT
        ),
    ]
)
"""What the document says of rungs; `rungs_in_short` says more exactly what is wrong with one."""


class OwnLadder(RequestModel):
    """When a subscription wants to be reminded, instead of at the usual steps."""

    rungs: Annotated[
        tuple[OwnRung, ...],
        Field(min_length=1, max_length=MOST_RUNGS),
        AfterValidator(_steps_once),
        BeforeValidator(_from_short, json_schema_input_type=_RungsAsSent),
    ]
    """Each step once, or all in short: `-14d, -3bd 09:00, 0 08:30, +2w`."""
    holidays: HolidayRegion | None = None
    """Whose business days are counted; none for the days on which all work who are bound by the milestone."""


def kept_ladder(kept: Any) -> OwnLadder | None:
    """The ladder of a row, without what a later release may have added to it."""
    return None if kept is None else OwnLadder.model_validate(kept, extra="ignore")


def ladder_chosen_by(subscription: Mapping[str, Any], seq: int = 1) -> LadderChosen:
    """What the scheduler has to know of a subscription (its row): nothing is to be planned for one that is inactive."""
    ladder = kept_ladder(subscription["ladder"]) if subscription["state"] == "active" else None
    region = ladder.holidays if ladder else None
    return LadderChosen(
        seq=seq,
        subscription_id=subscription["id"],
        active=ladder is not None,
        rungs=tuple(LadderRung(step=rung.step, at=rung.at) for rung in ladder.rungs) if ladder else (),
        zone=subscription["zone"],
        holidays=LadderHolidays(country=region.country, subdivision=region.subdivision) if region else None,
        parties=tuple(subscription["parties"]),
        themes=tuple(subscription["themes"]),
        sections=tuple(subscription["sections"]),
        commitments=tuple(subscription["commitments"]),
        owner=subscription["owner"],
    )


def is_for_scheduler(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    """Whether the scheduler has to know of a change; `before` is None for a subscription that was just made."""
    now = ladder_chosen_by(after)
    then = ladder_chosen_by(before) if before is not None else None
    return now != then and (now.active or (then is not None and then.active))
