"""What the portal asks of the notifier for who has the link of a message: what a subscription asks for, was sent, and
is to be from now on.

The portal has no key: what it may show and change it may for the token that stands in the link.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.vocabulary import CountryCode, Instant, LanguageTag, PartyCode
from services.portal.clients.service_client import LinkEnded, ServiceAnswer, ServiceClient, ServiceReply, read_answer


class DeliverySummary(ServiceAnswer):
    """One message to a subscription, and how that ended; without the address."""

    event: str
    commitment_id: str
    state: str
    reason: str | None = None
    settled_at: Instant | None = None
    created_at: Instant | None = None


class FiltersView(ServiceAnswer):
    """What a subscription asks for; an empty list asks for everything, and all lists have to agree."""

    events: tuple[str, ...] = ()
    parties: tuple[PartyCode, ...] = ()
    themes: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether everything is asked for."""
        return self == FiltersView()


class RungView(ServiceAnswer):
    """One step of a ladder, at a time of day."""

    step: str
    at: str


class HolidayRegionView(ServiceAnswer):
    """Whose public holidays are no business days."""

    country: CountryCode
    subdivision: str | None = None


class LadderView(ServiceAnswer):
    """When a subscription is reminded, instead of at the usual steps."""

    rungs: tuple[RungView, ...]
    holidays: HolidayRegionView | None = None


class QuietHoursView(ServiceAnswer):
    """From when until when nothing is told; on every day where none is named."""

    begins: str
    ends: str
    weekdays: tuple[str, ...] = ()


class MuteView(ServiceAnswer):
    """What is not told until an instant; with no filters everything."""

    filters: FiltersView = FiltersView()
    until: Instant


class TimingView(ServiceAnswer):
    """When a subscription is told."""

    rhythm: str = "immediate"
    at: str = "09:00"
    weekday: str = "monday"
    quiet_hours: tuple[QuietHoursView, ...] = ()
    holidays: tuple[HolidayRegionView, ...] = ()
    mutes: tuple[MuteView, ...] = ()

    @property
    def is_at_any_time(self) -> bool:
        """Whether everything is told at once."""
        return not (self.rhythm != "immediate" or self.quiet_hours or self.holidays or self.mutes)


class SubscriptionView(ServiceAnswer):
    """Who asked for what; without the address."""

    id: UUID
    subscriber: str
    channel: str
    is_shared: bool = False
    """Whether everybody in a channel reads the messages, and has the link."""
    is_for_people: bool = True
    """Whether somebody reads it; a program is told everything at once."""
    language: LanguageTag
    zone: str
    filters: FiltersView
    ladder: LadderView | None = None
    ladder_refused: str | None = None
    level: str | None = None
    timing: TimingView | None = None
    state: str
    reason: str | None = None
    created_at: Instant
    ended_at: Instant | None = None
    etag: str = ""
    """Which version of it this is."""

    @property
    def when(self) -> TimingView:
        """When it is told, in full."""
        return self.timing or TimingView()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent, unless its owner revives it."""
        return self.state in ("ended", "disabled")


class SharedChangeView(ServiceAnswer):
    """What somebody in a channel has changed by its link."""

    changed: tuple[str, ...]
    at: Instant
    was: SubscriptionView
    now: SubscriptionView
    is_undone: bool
    can_be_undone: bool


class NotifierApi:
    """The notifier, as far as pages need it. Raises `Unavailable` as `ServiceClient` does."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def deliveries(self, token: str, most: int) -> list[DeliverySummary]:
        """What the subscription of a link was sent lately, the newest first."""
        path = f"/subscription-links/{token}/deliveries"
        return await self._service.all(path, DeliverySummary, {}, most_pages=1, limit=most)

    async def subscription(self, token: str) -> SubscriptionView:
        """What the subscription of a link asks for; raises `NoSuchResource` or `LinkEnded` where there is none."""
        reply = await self._service.ask(_path(token))
        _check_link(reply)
        return read_answer(SubscriptionView, reply.content).model_copy(update={"etag": reply.etag})

    async def change(self, token: str, changes: Mapping[str, Any], version: str, language: LanguageTag) -> ServiceReply:
        """Change the subscription of a link if it is still this version; refusals are told in the language."""
        reply = await self._service.send("PATCH", _path(token), dict(changes), _conditions(version, language))
        _check_link(reply)
        return reply

    async def end(self, token: str) -> None:
        """End the subscription of a link, whatever it asks for by now."""
        _check_link(await self._service.send("DELETE", _path(token)))

    async def ask_for_links(self, address: str) -> ServiceReply:
        """Have the links to an address's subscriptions mailed to it; the reply is the same for every address."""
        return await self._service.send("POST", "/link-requests", {"address": address})

    async def shared_change(self, token: str) -> SharedChangeView:
        """The change that a channel was told of; raises `NoSuchResource` or `LinkEnded` where there is none."""
        reply = await self._service.ask(f"/undo-links/{token}")
        _check_link(reply)
        return read_answer(SharedChangeView, reply.content)

    async def undo(self, token: str, language: LanguageTag) -> ServiceReply:
        """Put it back."""
        reply = await self._service.send("POST", f"/undo-links/{token}", headers={"accept-language": language})
        _check_link(reply)
        return reply


def _path(token: str) -> str:
    return f"/subscription-links/{token}"


def _conditions(version: str, language: LanguageTag) -> dict[str, str]:
    return {"accept-language": language} | ({"if-match": version} if version else {})


def _check_link(reply: ServiceReply) -> None:
    if reply.status == 410:
        raise LinkEnded
