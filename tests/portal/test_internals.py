"""On no page: names of credentials, the delivery log, the chain of an escalation."""

import re

import pytest

from contracts.events import Reporter
from tests.portal.conftest import ServedPortal
from tests.portal.test_pages import COAL, SUMMIT, SUMMIT_ID, words_in


def test_nobodys_credentials_are_named_on_a_page(portal: ServedPortal) -> None:
    services = portal.services
    record = services.register.records["nals-2021-coal-finance"]
    updates = tuple(one.model_copy(update={"reported_by": Reporter(client="tracker")}) for one in record.status_updates)
    services.register.records[record.id] = record.model_copy(update={"status_updates": updates})
    page = portal.get(COAL).text

    assert "Reported by the register’s editors" in words_in(page)
    assert "tracker" not in page and "chronicle" not in page


@pytest.mark.parametrize("name", ["milestone-escalated.v1.focal-point-first", "delivery-settled.v1.cinq-issues"])
def test_internals_are_not_shown_live(portal: ServedPortal, name: str) -> None:
    portal.push(name)

    assert "Nothing has happened lately" in words_in(portal.get("/live").text)
    assert name.partition(".")[0] not in portal.get("/live").text


def test_no_page_tells_a_time_in_utc(portal: ServedPortal) -> None:
    services = portal.services
    id_ = services.subscribe("Cancillería", "email", zone="America/Mexico_City")
    services.tell(id_, "milestone-due", SUMMIT_ID)
    portal.push("milestone-due.v1.coal-finance-in-7-days")
    for path in ("/", COAL, SUMMIT, "/live", f"/subscriptions/{id_}"):
        for language in ("en", "es", "fr"):
            page = words_in(portal.get(path, accept_language=language).text)
            # A reader may choose UTC as their own zone, so the word itself may stand there.
            assert not re.search(r"(:\d\d| h \d\d|[ap]\.?m\.?) \(?UTC", page, re.IGNORECASE), path
