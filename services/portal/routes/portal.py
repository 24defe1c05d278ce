"""What the routes share."""

from dataclasses import dataclass
from datetime import date

from services.plumbing.clock import Clock
from services.portal.clients.notifier import NotifierApi
from services.portal.clients.registry import RegistryApi
from services.portal.clients.scheduler import SchedulerApi
from services.portal.live_feed import LiveFeed
from services.portal.moments import day_there
from services.portal.page_renderer import PageRenderer


@dataclass(frozen=True)
class Portal:
    """What the pages are made from."""

    registry: RegistryApi
    scheduler: SchedulerApi
    notifier: NotifierApi
    feed: LiveFeed
    clock: Clock
    pages: PageRenderer

    def today_in(self, zone: str) -> date:
        """The day of the service's clock in a zone."""
        return day_there(self.clock.now(), zone)
