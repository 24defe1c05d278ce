"""What was put off is told as what it is by then: a day, and not how far that was."""

from dataclasses import replace
from datetime import date

import pytest

from services.notifier.delivery.messages import MessageRenderer
from services.notifier.events.published_event import AS_NEWS
from tests.notifier.channels.test_kit import delivery_on
from tests.notifier.delivery.dispatching import links
from tests.notifier.rendering.kinds import EACH_KIND, on_day
from tests.notifier.rendering.material import LINKS

REMINDER = on_day(EACH_KIND["ahead"], date(2022, 3, 1))


@pytest.mark.parametrize(
    ("rule", "subject"),
    [(None, "In 30 days: "), ("window", "In 30 days: "), ("quiet-hours", "Date Mar 1, 2022: "), ("mute", "Date Mar")],
)
def test_one_reminder_that_waited_says_its_day(rule: str | None, subject: str) -> None:
    renderer = MessageRenderer(LINKS, links())
    delivery = replace(delivery_on("email"), rule=rule)

    told = renderer.message(delivery, REMINDER, AS_NEWS, ())
    assert told.template.subject.startswith(subject)
