"""Time words over HTTP: read as a statement would mean them; nothing is kept."""

from typing import Annotated

from fastapi import APIRouter, Body

from contracts.entered import EnteredParagraph
from contracts.vocabulary import Day, LanguageTag
from services.plumbing.http.forms import StrictRequestModel, strict_body
from services.registry.wordings import DEFAULT, ReadingPolicy, Wording, read


class WordingRequest(StrictRequestModel):
    """A time expression, as it stands in a statement of some day."""

    wording: EnteredParagraph
    language: LanguageTag
    made_on: Day
    """The day of the statement: what "next year" is reckoned from."""
    policy: ReadingPolicy = DEFAULT


WordingBody = Annotated[WordingRequest, Body(), strict_body(WordingRequest)]


def routes() -> APIRouter:
    """What everybody may ask."""
    router = APIRouter()

    @router.post("/wordings/read", response_model=Wording, operation_id="read_wording")
    async def read_wording(asked: WordingBody) -> Wording:
        """Read a time expression as a statement of that day would mean it; nothing is kept."""
        return read(asked.wording, asked.language, asked.made_on, asked.policy)

    return router
