"""What a subscription, a mute or a silence asks for, as it is sent to us."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from contracts.filters import MOST_TERMS, Filters, PartyTerms, SlugTerms, sorted_once
from services.notifier.events.event_types import EVENT_NAMES
from services.plumbing.http.forms import RequestModel

if TYPE_CHECKING:
    EventName = str
else:
    EventName = Literal[EVENT_NAMES]  # as the table has them: a type checker can't read it

EventNames = Annotated[tuple[EventName, ...], Field(max_length=MOST_TERMS), AfterValidator(sorted_once)]


class FilterForm(RequestModel):
    """What a subscription asks for; an empty list asks for everything, and all lists have to agree.

    `consistency-flagged` has to be named: an empty list of events does not ask for it, since it comes in crowds.
    """

    events: EventNames = ()
    parties: PartyTerms = ()
    themes: SlugTerms = ()
    sections: SlugTerms = ()
    commitments: SlugTerms = ()

    @property
    def filters(self) -> Filters:
        """The same as matching takes it."""
        return Filters(
            frozenset(self.events),
            frozenset(self.parties),
            frozenset(self.themes),
            frozenset(self.sections),
            frozenset(self.commitments),
        )
