"""What is overdue, asked about, due soon or just changed, and who is on it: on the start page, in lists, on pages."""

import re
from collections import Counter
from datetime import UTC, date, datetime

from services.portal.page_renderer import SOON_DAYS
from services.portal.routes.commitment_list import JUST
from services.registry.rules.due_states import SOON
from tests.portal.conftest import ServedPortal
from tests.portal.test_pages import COAL, COAL_ENDS, SUMMIT, SUMMIT_ID, words_in

ANSWER = "Whoever was told of it says that they are on it by the link in that message."


def test_what_is_overdue_says_since_when_and_which_ministry_is_on_it(portal: ServedPortal) -> None:
    portal.services.acknowledge(COAL_ENDS, "ca-gac", datetime(2022, 2, 1, 3, tzinfo=UTC))
    listed, page = words_in(portal.get("/").text), words_in(portal.get(COAL).text)
    french = words_in(portal.get(COAL, accept_language="fr").text)

    said = "Overdue since January 1, 2022 Global Affairs Canada is on it, since January 31, 2022"
    assert said in listed and said in page
    assert (
        "En retard depuis le 1er janvier 2022 Affaires mondiales Canada s’en occupe depuis le 31 janvier 2022" in french
    )


def test_who_is_on_it_without_a_ministry_is_somebody_and_has_no_name(portal: ServedPortal) -> None:
    portal.services.acknowledge(COAL_ENDS, None, datetime(2022, 2, 1, 18, tzinfo=UTC))

    assert "Somebody is on it, since February 1, 2022" in words_in(portal.get(COAL).text)


def test_an_event_that_has_had_its_day_is_asked_about_and_never_overdue(portal: ServedPortal) -> None:
    services = portal.services
    services.register.today = date(2023, 2, 1)
    listed, page = words_in(portal.get("/").text), words_in(portal.get(SUMMIT).text)

    asked = "Has it taken place? Its last day was December 31, 2022."
    assert asked in listed and asked in page
    assert "Overdue" not in page and ANSWER in page


def test_the_start_counts_what_may_be_a_concern_and_leads_to_it(portal: ServedPortal) -> None:
    page = portal.get("/").text
    counts = {
        link: int(n) for link, n in re.findall(r'class="concern [^"]*" href="/\?([^"]+)">[^<]*<strong>(\d+)', page)
    }
    due = {(one.state, one.commitment_id) for one in portal.services.register.due()}

    assert {name: n for name, n in counts.items() if name.startswith("due=")} == {
        f"due={state}": n for state, n in Counter(state for state, _ in due).items()
    }
    for link, n in counts.items():
        assert portal.get(f"/?{link}").text.count('<h3><a href="/commitments/') == n, link
    assert '<option value="overdue" selected>' in portal.get("/?due=overdue").text
    assert '<option value="7" selected>' in portal.get("/?changed_within=7").text


def test_a_commitment_that_has_just_changed_says_so_in_the_list(portal: ServedPortal) -> None:
    services = portal.services
    record = services.register.records[SUMMIT_ID]
    update = services.register.records["nals-2021-coal-finance"].status_updates[0]
    news = update.model_copy(update={"recorded_at": datetime(2022, 11, 28, 3, tzinfo=UTC)})
    services.register.records[SUMMIT_ID] = record.model_copy(update={"status_updates": (news,)})

    assert "Changed on November 27, 2022" in words_in(portal.get("/").text)
    assert "Changed on" not in words_in(portal.get("/?due=overdue").text)


def test_what_is_due_is_a_missing_part_where_nobody_says_it(portal: ServedPortal) -> None:
    services = portal.services
    services.acknowledge(COAL_ENDS, "ca-gac", datetime(2022, 2, 1, 3, tzinfo=UTC))
    services.away.add("scheduler")

    assert "Overdue since January 1, 2022" in words_in(portal.get("/").text)
    assert "is on it" not in words_in(portal.get("/").text)


def test_the_days_that_pages_state_are_those_of_the_rule(portal: ServedPortal) -> None:
    page = words_in(portal.get("/").text)

    assert f"Due within {SOON_DAYS} days" in page and SOON.days == SOON_DAYS
    assert f"Changed in the last {JUST.days} days" in page
