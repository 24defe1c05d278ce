"""Who may read without a key: a list of the routes that are open, with the reason of each; all others ask for one."""

import httpx2 as httpx
import pytest

from services.plumbing.http.route_table import PlacedRoute
from tests.architecture.test_every_route import READING, at, clients

__all__ = ["clients"]

REGISTER = "the register itself, which is public"
PLAN = "the usual reminders of the register's dates; what a subscription's own ladder asks for is left out"
OPERATION = "a word on whether it is alive and ready, and what it offers; all else is at the admin port"
SECRET = "its address is a secret that was given to one reader"
SUMS = "sums that name nobody"
CONTRACT = "what is promised to whoever reads or writes, and no word of what is in the register"
PAGE = "a page for people, of what is public"
OPEN = {
    ("registry", "/statements"): REGISTER,
    ("registry", "/statements/{statement_id}"): REGISTER,
    ("registry", "/commitments"): REGISTER,
    ("registry", "/commitments/{commitment_id}"): REGISTER,
    ("registry", "/milestones/{milestone_id}/schedule-version"): REGISTER,
    ("registry", "/anchors"): REGISTER,
    ("registry", "/anchors/{anchor_id}"): REGISTER,
    ("registry", "/consistency"): REGISTER,
    ("registry", "/due-milestones"): REGISTER,
    ("registry", "/snapshot"): REGISTER,
    ("registry", "/ministries"): REGISTER,
    ("registry", "/ministries/{code}"): REGISTER,
    ("registry", "/contracts/schemas/{name}"): CONTRACT,
    ("registry", "/contracts/examples/{name}"): CONTRACT,
    ("registry", "/contracts/cards"): CONTRACT,
    ("registry", "/contracts/asyncapi.yaml"): CONTRACT,
    ("registry", "/contracts/openapi/{name}"): CONTRACT,
    ("scheduler", "/acknowledgements"): "that somebody is on it: the ministry and the time, and nobody's name",
    ("scheduler", "/reminders"): PLAN,
    ("scheduler", "/reminders/{id_}/explanation"): PLAN,
    ("scheduler", "/schedule/preview"): PLAN,
    ("scheduler", "/ladders"): PLAN,
    ("scheduler", "/zones"): PLAN,
    ("scheduler", "/acknowledgement-links/{token}"): SECRET,
    ("scheduler", "/feeds/{token}/calendar.ics"): SECRET,
    ("scheduler", "/feeds/{token}/events.atom"): SECRET,
    ("scheduler", "/feeds/{token}/events.rss"): SECRET,
    ("notifier", "/subscription-links/{token}"): SECRET,
    ("notifier", "/subscription-links/{token}/deliveries"): SECRET,
    ("notifier", "/subscription-links/{token}/receipts"): SECRET,
    ("notifier", "/acknowledgement-links/{token}"): SECRET,
    ("notifier", "/undo-links/{token}"): SECRET,
    ("notifier", "/unsubscribe/{token}"): SECRET,
    ("notifier", "/conservation"): SUMS,
    ("portal", "/static/{path}"): PAGE,
    ("portal", "/"): PAGE,
    ("portal", "/commitments/{commitment_id}"): PAGE,
    ("portal", "/subscriptions/{token}"): SECRET,
    ("portal", "/subscriptions/{token}/stop"): SECRET,
    ("portal", "/on-it/{token}"): SECRET,
    ("portal", "/undo/{token}"): SECRET,
    ("portal", "/lost-link"): PAGE,
    ("portal", "/live"): PAGE,
    ("portal", "/events"): PAGE,
    **{
        (service, path): OPERATION
        for service in ("registry", "scheduler", "notifier", "portal")
        for path in ("/livez", "/readyz", "/openapi.json")
    },
}
"""Decided one by one, in docs/decisions; a new route that is read asks for a key, or is written down here."""


@pytest.mark.parametrize(("service", "route"), READING)
async def test_what_is_not_open_asks_for_a_key(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    if (service, route.template) in OPEN:
        return
    answer = await clients[service].get(at(route))
    forged = await clients[service].get(at(route), headers={"authorization": "Bearer pw_x_y"})
    assert (answer.status_code, forged.status_code) == (401, 401)
    assert answer.text == forged.text


def test_what_is_listed_as_open_is_there() -> None:
    there = {(one.values[0], one.values[1].template) for one in READING}  # type: ignore[union-attr]  # pytest's values
    assert set(OPEN) - there <= {("portal", "/static"), ("portal", "/static/{path}")}
