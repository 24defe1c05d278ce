"""The catalogues as tests look at them: the joint statement's, and two of statements that nobody made."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from contracts.events import CommitmentCreated, MilestoneScheduled, StatementRef
from contracts.vocabulary import Status
from services.registry.catalogue.contents import Catalogue, Commitment
from services.registry.catalogue.loading import NALS_2021, load
from tests.contracts.golden_records import SOME_CAUSE

FOLDER = NALS_2021
PUBLISHED = (FOLDER / "joint-statement-2021-11-18.txt").read_bytes()
SHA256 = "23d1bf95f35cb2a9f7458096a1607aadc9761232b81fe3baf372b2537a1d7f22"
CATALOGUE = load()
TEXT = CATALOGUE.statement.text
BODY = slice(TEXT.index("We, the leaders"), TEXT.index("\\###"))
BY_ID = {commitment.id: commitment for commitment in CATALOGUE.commitments}
MILESTONES = {milestone.id: milestone for one in CATALOGUE.commitments for milestone in one.milestones}
ANCHORS = {anchor.id: anchor for anchor in CATALOGUE.anchors}
ALL = ("CA", "MX", "US")

TWENTY_PARTIES = Path(__file__).parent / "twenty_parties"
"""Made on 2022-03-10 by eighteen countries and two organisations, in Spanish; a few texts are there in others too."""
BRAZIL = Path(__file__).parent / "brazil"
"""Made on 2022-02-01 by one government, in a language that has no lexicon."""


@cache
def twenty_parties() -> Catalogue:
    """The catalogue of the statement by twenty parties."""
    return load(TWENTY_PARTIES)


def first_events(catalogue: Catalogue) -> Iterator[CommitmentCreated | MilestoneScheduled]:
    """The events with which a statement enters the register: of each commitment, and then of each of its milestones."""
    ref = StatementRef(**{name: getattr(catalogue.statement, name) for name in StatementRef.model_fields})
    anchors = {anchor.id: anchor for anchor in catalogue.anchors}
    for commitment in catalogue.commitments:
        brief = catalogue.brief(commitment)
        yield CommitmentCreated(
            seq=1,
            cause=SOME_CAUSE,
            commitment=brief,
            statement=ref,
            quote=commitment.quote,
            summary=commitment.summary,
            strength=commitment.strength,
            lead_ministries=commitment.lead_ministries,
            status=Status.ANNOUNCED,
        )
        for seq, milestone in enumerate(commitment.milestones, 1):
            anchor = anchors[milestone.anchor_id] if milestone.anchor_id else None
            yield MilestoneScheduled(
                seq=seq,
                cause=SOME_CAUSE,
                commitment=brief,
                milestone=milestone,
                schedule_version=1,
                change="first",
                previous=None,
                source=anchor.source if anchor else None,
                known_on=catalogue.statement.made_on if anchor else None,
            )


def sentences() -> Iterator[tuple[int, int]]:
    """Where each sentence of the body starts and ends; headings belong to none."""
    for found in re.finditer(r"(?:\*\*[^*]+\*\* )?([^ ].*?\.)(?= |$)", TEXT[BODY]):
        yield BODY.start + found.start(1), BODY.start + found.end(1)


SENTENCES = tuple(sentences())


def made_in(start: int, end: int) -> list[Commitment]:
    return [one for one in CATALOGUE.commitments if start <= one.quote.start and one.quote.end <= end]


def sentence_of(one: Commitment) -> str:
    return next(TEXT[start:end] for start, end in SENTENCES if one in made_in(start, end))
