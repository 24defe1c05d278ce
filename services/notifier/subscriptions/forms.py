"""What is sent to the notifier about subscriptions: the forms, and what makes two subscriptions the same."""

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from contracts.entered import EnteredLine
from contracts.text import fit
from contracts.topics import MILESTONE_DUE, MILESTONE_ESCALATED
from contracts.vocabulary import Channel, Slug
from services.i18n.languages import SOURCE, ReaderLanguage
from services.notifier.channels import CHANNELS
from services.notifier.channels.ssrf_guard import LONGEST_URL
from services.notifier.subscriptions.filter_form import EventNames, FilterForm
from services.notifier.subscriptions.own_ladder import OwnLadder
from services.notifier.subscriptions.signing_keys import SigningKey
from services.notifier.subscriptions.timing_form import TimingForm, check_timing
from services.plumbing.http.forms import RequestModel, ZoneName
from services.plumbing.sentences import Sentence


class NewSubscription(RequestModel):
    """Who wants what, where, and in which language."""

    subscriber: EnteredLine
    """A name for people: whom this is for."""
    channel: Channel
    address: Annotated[
        str, StringConstraints(min_length=3, max_length=LONGEST_URL), AfterValidator(partial(fit, most=LONGEST_URL))
    ]
    """An e-mail address, or the URL to post to. It is a secret: no answer ever shows it whole."""
    secret: SigningKey | None = None
    """For `webhook`: the signing key `whsec_…` (24 to 64 bytes in base64); one is made where it is missing."""
    language: ReaderLanguage = SOURCE
    zone: ZoneName = "America/New_York"
    filters: FilterForm = FilterForm()
    ladder: OwnLadder | None = None
    """Its own ladder: it is reminded at these steps, and no longer at the usual ones."""
    level: Slug | None = None
    """`focal-point`, `director`, `ministers-office` or another level: it is told of what escalates to it."""
    timing: TimingForm | None = None
    """When it is told: its rhythm, quiet hours, days off and mutes; without it at once, at any time."""

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        check_reach(self.filters, self.ladder, self.level)
        return self

    @model_validator(mode="after")
    def _secret_fits(self) -> Self:
        if self.secret is not None and not CHANNELS[self.channel].is_signed:
            raise ValueError(Sentence("only a webhook has a secret"))
        return self

    @model_validator(mode="after")
    def _timing_fits(self) -> Self:
        check_timing(self.channel, self.timing)
        return self


class ChangedSubscription(RequestModel):
    """What is to be different; what is left out stays, and null gives up a ladder, a level or a timing."""

    language: ReaderLanguage | None = None
    zone: ZoneName | None = None
    filters: FilterForm | None = None
    ladder: OwnLadder | None = None
    level: Slug | None = None
    timing: TimingForm | None = None
    """In place of the one before, all of it."""
    state: Literal["active", "paused"] | None = None
    """`paused` gets nothing until it is `active` again; a subscription that was disabled is revived so, too."""


class ChangedByLink(RequestModel):
    """What is to be different by who has the link of a message; what is left out stays, and so does where it goes."""

    language: ReaderLanguage | None = None
    zone: ZoneName | None = None
    events: EventNames | None = None
    """As in `filters`: an empty list asks for all events but `consistency-flagged`."""
    ladder: OwnLadder | None = None
    """null goes back to the usual reminders."""
    timing: TimingForm | None = None
    """In place of the one before, all of it; null tells everything at once."""
    level: None = None
    """null gives up being asked about what is overdue; nobody names themselves here."""
    state: Literal["active", "paused"] | None = None
    """`paused` gets nothing until it is `active` again."""


def check_reach(filters: FilterForm, ladder: OwnLadder | None, level: str | None) -> None:
    """Refuse a ladder or a level without effect, since the events that it is for are left out; raises ValueError."""
    if ladder and filters.events and MILESTONE_DUE.name not in filters.events:
        raise ValueError(
            Sentence("a ladder is for reminders, and the events asked for leave out %(name)s", name=MILESTONE_DUE.name)
        )
    if level and filters.events and MILESTONE_ESCALATED.name not in filters.events:
        raise ValueError(
            Sentence(
                "a level is for escalations, and the events asked for leave out %(name)s", name=MILESTONE_ESCALATED.name
            )
        )
