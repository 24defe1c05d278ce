"""The demo's subscriptions: the notifier would take them, and they show each way of being told."""

import json

import pytest

from services.cli.demo.subscribers import SUBSCRIPTIONS, WEBHOOK_SECRETS, DemoSubscription
from services.notifier.subscriptions.forms import NewSubscription

INBOX = "http://127.0.0.1:8425"


def form(wanted: DemoSubscription) -> NewSubscription:
    """The subscription as the notifier reads it."""
    return NewSubscription.model_validate_json(json.dumps(wanted.request(INBOX)))


@pytest.mark.parametrize("wanted", SUBSCRIPTIONS, ids=lambda wanted: wanted.address)
def test_a_subscription_of_the_demo_would_be_taken(wanted: DemoSubscription):
    made = form(wanted)

    assert made.secret == (WEBHOOK_SECRETS[wanted.address.rpartition("/")[2]] if wanted.channel == "webhook" else None)


def test_the_demo_shows_a_ladder_in_business_days_a_level_and_what_does_not_agree():
    made = [form(wanted) for wanted in SUBSCRIPTIONS]

    assert any(one.ladder and "before-3bd" in {rung.step for rung in one.ladder.rungs} for one in made)
    assert "focal-point" in {one.level for one in made}
    assert any("consistency-flagged" in one.filters.events for one in made)
