"""Text as it enters, over HTTP or on an ingest topic: what `text.py` lets through, in the form in which it is kept.

Events that we write ourselves keep the wider types of `vocabulary.py`: an older process, or a row from before the rule,
may hold what would not be let in today, and readers have to bear it.
"""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from contracts.text import PATTERN, fit, fit_link
from contracts.vocabulary import LanguageTag, Link, Source, Text

_LINE, _PARAGRAPH, _DOCUMENT = 300, 4000, 200_000

EnteredLine = Annotated[
    str,
    StringConstraints(pattern=PATTERN, min_length=1, max_length=_LINE),
    AfterValidator(partial(fit, most=_LINE)),
]
"""One line of prose in which something is to be seen, 1 to 300 characters."""

EnteredParagraph = Annotated[
    str,
    StringConstraints(pattern=PATTERN, min_length=1, max_length=_PARAGRAPH),
    AfterValidator(partial(fit, most=_PARAGRAPH)),
]
"""One paragraph of prose in which something is to be seen, 1 to 4,000 characters."""

EnteredLink = Annotated[Link, AfterValidator(fit_link)]
"""An absolute http(s) address that names a host and no user; at most 2,000 characters."""


def _document(text: str) -> str:
    fit(text, _DOCUMENT, lines=True)
    return text  # as it came: its SHA-256 is compared


EnteredDocument = Annotated[str, StringConstraints(min_length=1, max_length=_DOCUMENT), AfterValidator(_document)]
"""A document of many lines, kept as it came; 1 to 200,000 characters, which a body can carry."""


class EnteredText(Text):
    """The same words in the languages that there are, as somebody enters them."""

    root: Annotated[
        dict[LanguageTag, EnteredParagraph],
        Field(min_length=1, max_length=64, json_schema_extra={"additionalProperties": False}),
    ]


def as_entered(text: Text) -> Text:
    """The words as they would have entered; raises ValueError where they would not."""
    return EnteredText(text.root)


class EnteredSource(Source):
    """Where a fact comes from, as somebody enters it."""

    text: EnteredLine
    url: EnteredLink | None = None
