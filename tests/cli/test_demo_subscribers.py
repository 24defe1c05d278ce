"""Who is told in the demo: what they wish would be accepted, and shows each way of being told."""

import json

import pytest

from services.cli.demo.subscribers import WEBHOOK_SECRETS, WISHES, Wish
from services.notifier.subscriptions.forms import NewSubscription

INBOX = "http://127.0.0.1:8425"


def form(wish: Wish) -> NewSubscription:
    """The subscription as the notifier reads it."""
    return NewSubscription.model_validate_json(json.dumps(wish.request(INBOX)))


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.address)
def test_a_wish_is_a_subscription(wish: Wish):
    made = form(wish)

    assert made.secret == (WEBHOOK_SECRETS[wish.address.rpartition("/")[2]] if wish.channel == "webhook" else None)


def test_the_demo_shows_a_ladder_in_business_days_a_level_and_what_does_not_agree():
    made = [form(wish) for wish in WISHES]

    assert any(one.ladder and "before-3bd" in {rung.step for rung in one.ladder.rungs} for one in made)
    assert "focal-point" in {one.level for one in made}
    assert any("consistency-flagged" in one.filters.events for one in made)
