"""The catalogue of the joint statement as the tests of this folder look at it."""

import re
from collections.abc import Iterator

from contracts.vocabulary import Country
from services.registry.catalogue.contents import Commitment
from services.registry.catalogue.loading import NALS_2021, load

FOLDER = NALS_2021
PUBLISHED = (FOLDER / "joint-statement-2021-11-18.txt").read_bytes()
SHA256 = "23d1bf95f35cb2a9f7458096a1607aadc9761232b81fe3baf372b2537a1d7f22"
CATALOGUE = load()
TEXT = CATALOGUE.statement.text
BODY = slice(TEXT.index("We, the leaders"), TEXT.index("\\###"))
BY_ID = {commitment.id: commitment for commitment in CATALOGUE.commitments}
MILESTONES = {milestone.id: milestone for one in CATALOGUE.commitments for milestone in one.milestones}
ANCHORS = {anchor.id: anchor for anchor in CATALOGUE.anchors}
ALL = (Country.CA, Country.MX, Country.US)


def sentences() -> Iterator[tuple[int, int]]:
    """Where each sentence of the body starts and ends; headings belong to none."""
    for found in re.finditer(r"(?:\*\*[^*]+\*\* )?([^ ].*?\.)(?= |$)", TEXT[BODY]):
        yield BODY.start + found.start(1), BODY.start + found.end(1)


SENTENCES = tuple(sentences())


def made_in(start: int, end: int) -> list[Commitment]:
    return [one for one in CATALOGUE.commitments if start <= one.quote.start and one.quote.end <= end]


def sentence_of(one: Commitment) -> str:
    return next(TEXT[start:end] for start, end in SENTENCES if one in made_in(start, end))
