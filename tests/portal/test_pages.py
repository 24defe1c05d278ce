"""The pages as a browser without JavaScript gets them, from stand-ins of the services over real HTTP."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import pytest
from prometheus_client import generate_latest

from contracts.vocabulary import Span, Text
from services.notifier.subscriptions.forms import FilterForm
from services.notifier.subscriptions.own_ladder import OwnLadder
from services.portal.clients.page_parts import MISSING
from tests.portal.conftest import ServedPortal

COAL = "/commitments/nals-2021-coal-finance"
SUMMIT_ID = "nals-2021-next-summit"
SUMMIT = f"/commitments/{SUMMIT_ID}"


def english(text: Text) -> str:
    """A text's English words."""
    return text.in_language("en").text


def words_in(html: str) -> str:
    """The text of a page, without tags and with single spaces, narrow and unbreakable ones among them."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_list_has_every_commitment_under_its_section_with_its_next_deadline(portal: ServedPortal) -> None:
    page = portal.get("/")
    text = words_in(page.text)

    assert page.status_code == 200
    assert "From the statement of November 18, 2021: Building Back Better Together" in text
    assert all(f'href="/commitments/{id_}"' in page.text for id_ in portal.services.register.records)
    assert all(english(section.title) in text for section in portal.services.register.catalogue.sections)
    assert "next year — December 31, 2022 (in 30 days)" in text
    assert "over the medium term — no date given" in text


def test_all_pages_of_the_registry_are_read(portal: ServedPortal) -> None:
    portal.get("/")

    asked = [path for path in portal.services.asked if path.startswith("/registry/commitments")]
    assert len(asked) == 5


def test_a_choice_is_handed_to_the_registry_and_kept_in_the_form(portal: ServedPortal) -> None:
    page = portal.get("/?party=MX&theme=nature&due_to=2030-12-31&q=land&status=&section=")

    assert any("party=MX&theme=nature&due_to=2030-12-31&q=land&limit=200" in path for path in portal.services.asked)
    assert '<option value="MX" selected>' in page.text
    assert 'value="2030-12-31"' in page.text
    chosen = portal.services.register.chosen({"party": "MX", "theme": "nature", "due_to": "2030-12-31", "q": "land"})
    assert len(chosen) == 1 and "1 commitment in this choice" in words_in(page.text)


def test_a_choice_that_makes_no_sense_is_left_out_and_said(portal: ServedPortal) -> None:
    page = portal.get("/?party=France&due_from=tomorrow&theme=Climate%20Action")

    assert page.status_code == 200
    assert "left out: Party, Theme, and Due from." in words_in(page.text)
    assert not any("party=" in path or "due_from=" in path for path in portal.services.asked)


@pytest.mark.parametrize("words", ["\u3164", "\u200b", "a\u202eb", "\uffff"])
def test_words_that_could_not_have_entered_are_left_out_and_said(portal: ServedPortal, words: str) -> None:
    page = portal.get("/?" + urlencode({"q": words}))

    assert page.status_code == 200
    assert "left out: " in words_in(page.text)
    assert not any("q=" in path for path in portal.services.asked)


def test_nothing_found_leads_back(portal: ServedPortal) -> None:
    assert "Nothing fits this choice. Show all commitments" in words_in(portal.get("/?status=missed").text)


def test_the_timeline_says_in_a_table_what_it_shows(portal: ServedPortal) -> None:
    page = portal.get("/").text
    picture = page[page.index('<svg class="timeline"') : page.index("</svg>", page.index('<svg class="timeline"'))]
    table = page[page.index("<table>") : page.index("</table>")]
    dated = [
        milestone
        for record in portal.services.register.records.values()
        for milestone in record.milestones
        if milestone.span.latest
    ]

    assert "<title" in picture and "<desc" in picture
    for milestone in dated:
        assert english(milestone.title) in unescape(picture)
        assert english(milestone.title) in words_in(table) and milestone.wording in words_in(table)


def test_a_commitment_has_its_quote_marked_in_its_paragraph(portal: ServedPortal) -> None:
    record = portal.services.register.records["nals-2021-coal-finance"]
    page = portal.get(COAL).text

    (marked,) = re.findall(r"<mark>(.*?)</mark>", page, re.DOTALL)
    assert record.quote.text == unescape(marked)
    assert record.passage.text in words_in(page).replace(" .", ".")
    assert '<blockquote lang="en">' in page


def test_a_commitment_says_how_its_dates_have_changed(portal: ServedPortal) -> None:
    text = words_in(portal.get("/commitments/nals-2021-summit-of-the-americas").text)

    assert "summer 2022 first date" in text
    assert "summer 2022 → June 2022 more precise known on January 18, 2022 · White House release of 2022-01-18" in text


def test_a_commitment_says_what_was_reported_by_whom(portal: ServedPortal) -> None:
    text = words_in(portal.get(COAL).text)

    assert "Canada: In progress Mexico: Announced United States: In progress" in text
    assert "Reported by Global Affairs Canada, October 22, 2021, 8:00 AM (Toronto)" in text


def test_a_commitment_says_what_is_coming_and_nothing_of_who_was_told(portal: ServedPortal) -> None:
    chancery = portal.services.subscribe("Cancillería", "teams", language="es")
    portal.services.tell(chancery, "milestone-due", SUMMIT_ID, state="failed", reason="gone")
    page = portal.get(SUMMIT).text

    assert "December 24, 2022, 6:00 AM (Mexico City) 7 days before The leaders meet in Mexico" in words_in(page)
    assert "Cancillería" not in page
    assert not [path for path in portal.services.asked if path.startswith("/notifier")]


def test_a_service_that_is_away_is_a_missing_part_and_no_fault(portal: ServedPortal) -> None:
    portal.services.away.add("scheduler")
    before = MISSING.labels("reminders")._value.get()
    page = portal.get(SUMMIT)

    assert page.status_code == 200
    assert "The scheduler does not answer" in words_in(page.text)
    assert "<mark>" in page.text
    assert before + 1 == MISSING.labels("reminders")._value.get()


MEETING = "nals-2021-next-summit-meeting"
COAL_ENDS = "nals-2021-coal-finance-end"
MEDIUM_TERM, PHASE_OUT = "nals-2021-fossil-subsidies-medium-term", "nals-2021-fossil-subsidies-medium-term-phase-out"


def test_a_milestone_says_how_exactly_its_date_is_known_and_what_it_hangs_on(portal: ServedPortal) -> None:
    text = words_in(portal.get(SUMMIT).text)

    assert "As exactly as it is known 2022 Hangs on North American Leaders’ Summit 2022 (NALS 2022), Mexico" in text
    assert "As exactly as it is known" not in words_in(portal.get("/commitments/nals-2021-vaccine-donations").text)


def test_a_milestone_says_how_far_from_its_event_it_is_and_when_that_begins(portal: ServedPortal) -> None:
    portal.services.milestones[MEETING] = {
        "offset": {"direction": "after", "count": 90, "unit": "days"},
        "local_time": "10:00",
        "wording": "noventa días después",
        "wording_language": "es",
    }
    page = portal.get(SUMMIT)

    assert "Hangs on 90 days after North American Leaders’ Summit" in words_in(page.text)
    assert "Begins at 10:00 AM (Mexico City)" in words_in(page.text).replace("\u202f", " ")
    assert '<q lang="es">noventa días después</q>' in page.text
    french = words_in(portal.get(SUMMIT, accept_language="fr").text).replace("\xa0", " ").replace("\u202f", " ")
    assert "90 jours après : Sommet des leaders" in french


def test_what_has_no_date_says_when_it_is_looked_at_again(portal: ServedPortal) -> None:
    services = portal.services
    services.remind(PHASE_OUT, "review-3", datetime(2023, 5, 18, 14, tzinfo=UTC))
    services.remind(PHASE_OUT, "review-4", datetime(2023, 11, 18, 15, tzinfo=UTC))
    text = words_in(portal.get(f"/commitments/{MEDIUM_TERM}").text)

    assert "over the medium term — no date given" in text
    assert "To be looked at again May 18, 2023" in text
    assert "May 18, 2023, 8:00 AM (Mexico City) review no. 3" in text
    services.reminders.clear()
    services.milestones[PHASE_OUT] = {"review_months": 6}
    assert "To be looked at again every 6 months" in words_in(portal.get(f"/commitments/{MEDIUM_TERM}").text)


def test_what_begins_and_has_no_end_is_on_the_timeline_without_a_last_day(portal: ServedPortal) -> None:
    services = portal.services
    beyond = {"edtf": "2022/..", "earliest": "2022-01-01", "latest": None, "precision": "year"}
    record = services.register.records[MEDIUM_TERM]
    milestone = record.milestones[0].model_copy(update={"span": Span.model_validate_json(json.dumps(beyond))})
    services.register.records[MEDIUM_TERM] = record.model_copy(update={"milestones": (milestone,)})
    listed, page = portal.get("/").text, words_in(portal.get(f"/commitments/{MEDIUM_TERM}").text)

    assert "over the medium term from 2022 on no end" in words_in(listed)
    assert "over the medium term — from 2022 on" in words_in(listed)
    assert "As exactly as it is known from 2022 on" in page


def test_reminders_by_somebodys_own_ladder_are_not_shown_to_everybody(portal: ServedPortal) -> None:
    services = portal.services
    services.remind(MEETING, "before-3bd", datetime(2022, 12, 27, 15, tzinfo=UTC), audience=UUID(int=1))

    text = words_in(portal.get(SUMMIT).text)
    assert "3 business days before" not in text and "7 days before" in text


def test_an_overdue_milestone_says_how_to_answer_and_nothing_of_who_is_asked(portal: ServedPortal) -> None:
    overdue, ahead = portal.get(COAL).text, portal.get(SUMMIT).text

    assert "by the link in that message" in overdue and 'href="/lost-link"' in overdue
    assert "by the link in that message" not in ahead
    assert "curl" not in overdue + ahead
    assert not [path for path in portal.services.asked if "escalation" in path]


def test_a_subscription_shows_its_own_ladder_and_as_what_it_is_asked(portal: ServedPortal) -> None:
    holidays = {"country": "CA", "subdivision": "QC"}
    ladder = OwnLadder.model_validate({"rungs": "-2w, -3bd 08:30, 0", "holidays": holidays})
    id_ = portal.services.subscribe("Climate desk", "email", ladder=ladder, level="focal-point")
    page = portal.get(f"/subscriptions/{id_}").text
    text = words_in(page).replace("\u202f", " ")

    assert (
        "As it was set up: 2 weeks before, 9:00 AM; 3 business days before, 8:30 AM; on the day, 9:00 AM"
        " Business days of: Canada (QC)" in text
    )
    assert "What is overdue and owned by nobody (as Focal point)" in text
    assert 'value="own" checked' in page


def test_a_subscription_says_in_plain_words_and_its_own_language_what_it_asks_for(portal: ServedPortal) -> None:
    asked = FilterForm(
        events=("milestone-due", "status-changed"),
        parties=("CA", "MX"),
        themes=("climate",),
        sections=("health-security",),
        commitments=(SUMMIT_ID,),
    )
    services = portal.services
    id_ = services.subscribe("Cancillería", "email", language="es", zone="America/Mexico_City", filters=asked)
    own = portal.get(f"/subscriptions/{id_}", accept_language="fr")
    page = portal.get(f"/subscriptions/{id_}?lang=en")
    text = words_in(page.text)

    assert own.headers["content-language"] == "es" and "Cambiar lo que recibe" in words_in(own.text)
    assert page.status_code == 200 and 'content="noindex"' in page.text
    assert "Cancillería Active E-mail set up on December 1, 2022, 6:00 AM (Mexico City)" in text
    assert (
        "that fit every line: Parties Canada and Mexico"
        f" Themes Climate action Sections {section_title(portal, 'health-security')}"
        f" Commitments {english(services.register.records[SUMMIT_ID].title)} " in text
    )
    assert checked(page.text) == ["milestone-due", "status-changed", "usual", "immediate", "none"]
    assert '<option value="es" selected>' in page.text
    assert '<option value="America/Mexico_City" selected>Mexico City</option>' in page.text
    assert "What was sent lately Nothing yet." in text


def checked(page: str) -> list[str]:
    """What is ticked in the form."""
    return re.findall(r'<input type="(?:checkbox|radio)" [^>]*value="([^"]+)" checked>', page)


def section_title(portal: ServedPortal, section: str) -> str:
    """The section's heading in English."""
    return next(english(s.title) for s in portal.services.register.catalogue.sections if s.id == section)


def test_a_subscription_without_filters_is_about_everything_and_a_channel_is_told_that_all_have_the_link(
    portal: ServedPortal,
) -> None:
    chat, mail = (portal.services.subscribe("Climate desk", channel) for channel in ("slack", "email"))
    shared, own = (words_in(portal.get(f"/subscriptions/{id_}").text) for id_ in (chat, mail))

    assert "Every commitment in the register." in shared and "every line" not in shared
    assert "Everybody in the channel has this link." in shared and "Everybody" not in own


def test_what_ends_is_said_before_it_is_stopped_and_less_is_offered(portal: ServedPortal) -> None:
    asked = FilterForm(events=("milestone-due", "consistency-flagged"), parties=("MX",))
    id_ = portal.services.subscribe("Cancillería", "email", language="es", filters=asked)
    own = portal.get(f"/subscriptions/{id_}/stop", accept_language="fr")
    page = portal.get(f"/subscriptions/{id_}/stop?lang=en").text
    text = words_in(page)

    assert "¿Dejar de recibir estos mensajes?" in words_in(own.text)
    assert "For whom Cancillería Channel E-mail Kinds of news what does not agree in the register reminders" in text
    assert "Parties Mexico" in text and "Other subscriptions stay as they are." in text
    assert re.findall(r'name="do" value="([^"]+)"', page) == ["stop", "no-flags", "weekly", "month", "pause"]


def test_a_subscription_shows_its_last_20_messages_and_no_other(portal: ServedPortal) -> None:
    services = portal.services
    mine, other = services.subscribe("Climate desk", "webhook"), services.subscribe("Trade desk", "webhook")
    for _ in range(21):
        services.tell(mine, "milestone-due", "nals-2021-coal-finance")
    services.tell(mine, "status-changed", SUMMIT_ID, state="failed", reason="attempts-exhausted")
    services.tell(other, "commitment-created", SUMMIT_ID)
    page = portal.get(f"/subscriptions/{mine}").text
    text = words_in(page)

    assert page.count('<span class="tag">') == 20
    title = english(services.register.records[SUMMIT_ID].title)
    assert f"Status {title} Failed (tried often enough) · December 1, 2022, 7:00 AM (Toronto)" in text
    assert '<span class="tag">New commitment' not in page and "Trade desk" not in text


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("ended", "unsubscribed", "Ended E-mail November 30, 2022, 10:00 AM (Toronto) by the link in a message"),
        ("disabled", "gone", "Switched off E-mail November 30, 2022, 10:00 AM (Toronto) address no longer exists"),
        ("paused", None, "Paused E-mail set up on December 1, 2022"),
    ],
)
def test_a_subscription_says_how_it_stands(portal: ServedPortal, state: str, reason: str | None, said: str) -> None:
    ended_at = None if state == "paused" else datetime(2022, 11, 30, 15, tzinfo=UTC)
    changes = {"state": state, "reason": reason, "ended_at": ended_at}
    id_ = portal.services.subscribe("Climate desk", "email", **changes)
    text = words_in(portal.get(f"/subscriptions/{id_}").text)

    assert said in text
    assert ("Resume" in text) == (state == "paused")


def test_a_subscription_is_a_readable_page_without_the_other_services(portal: ServedPortal) -> None:
    services = portal.services
    id_ = services.subscribe("Climate desk", "slack", filters=FilterForm(commitments=(SUMMIT_ID,), themes=("climate",)))
    services.away.add("registry")
    by_ids = portal.get(f"/subscriptions/{id_}")
    services.away.add("notifier")
    away = portal.get(f"/subscriptions/{id_}", accept_language="fr")

    assert by_ids.status_code == 200
    assert f"Themes Climate action Commitments {SUMMIT_ID}" in words_in(by_ids.text)
    assert "some things are shown by their ids" in words_in(by_ids.text)
    assert away.status_code == 503 and '<html lang="fr">' in away.text
    assert "Une partie de cette page manque. Le service d’avis ne répond pas" in words_in(away.text)
    assert "Climate desk" not in away.text


def test_without_the_registry_the_page_says_so(portal: ServedPortal) -> None:
    portal.services.away.add("registry")

    listed, one, ready = portal.get("/"), portal.get(SUMMIT), portal.get("/readyz")
    assert (listed.status_code, one.status_code, ready.status_code) == (503, 503, 503)
    assert "The register does not answer at the moment" in words_in(listed.text)
    assert "Not available at the moment" in words_in(one.text)
    assert portal.get("/livez").status_code == 200


NOBODYS = "/subscriptions/018f0000-0000-7000-8000-000000000000"
MISSPELT = ["/nothing", "/commitments/no-such", "/commitments/Not%20a%20Slug", "/static/no.css"]


@pytest.mark.parametrize("path", [*MISSPELT, "/subscriptions/no-number", NOBODYS])
def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(portal: ServedPortal, path: str) -> None:
    page = portal.get(path, accept_language="es")
    problem = httpx2.get(portal.url + path)

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Esta página no existe" in page.text
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


def test_a_page_comes_in_the_language_asked_for_and_remembers_it(portal: ServedPortal) -> None:
    with httpx2.Client(headers={"accept": "text/html", "accept-language": "es-MX"}) as reader:
        spanish = reader.get(portal.url + "/")
        french = reader.get(portal.url + "/?lang=fr")
        still_french = reader.get(portal.url + SUMMIT)

    assert '<html lang="es">' in spanish.text and "Lo que se prometió" in spanish.text
    assert '<html lang="fr">' in french.text and french.headers["content-language"] == "fr"
    assert '<html lang="fr">' in still_french.text
    assert "30 décembre 2022" not in spanish.text and "31 décembre 2022" in still_french.text
    assert french.headers["vary"] == "Accept-Language, Cookie"


def test_the_language_switch_keeps_the_choice(portal: ServedPortal) -> None:
    assert 'href="/?party=MX&amp;lang=fr"' in portal.get("/?party=MX").text


@pytest.mark.parametrize("path", ["/", SUMMIT, "/live", "/nothing"])
def test_a_page_needs_nothing_inline_and_nothing_from_elsewhere(portal: ServedPortal, path: str) -> None:
    page = portal.get(path)
    policy = page.headers["content-security-policy"]
    own = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page.text)

    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"<style|style=|<script(?![^>]*\bsrc=)|\son[a-z]+=", page.text)
    assert own and all(address.startswith("/") for address in own)


def test_static_files_are_small_and_may_be_kept_for_ever(portal: ServedPortal) -> None:
    (address,) = re.findall(r'href="(/static/portal\.css\?v=[0-9a-f]+)"', portal.get("/").text)
    css = portal.get(address)

    assert css.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(css.content) <= 20_000
    assert "http" not in re.sub(r'\[href\^="http"\]', "", css.text)


def test_what_a_reporter_writes_is_only_text(portal: ServedPortal) -> None:
    record = portal.services.register.records["nals-2021-coal-finance"]
    nasty = record.status_updates[0].model_copy(update={"note": "<img src=x onerror=alert(1)> & more"})
    portal.services.register.records[record.id] = record.model_copy(update={"status_updates": (nasty,)})

    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in portal.get(COAL).text


def test_the_live_page_shows_what_happened_without_any_script(portal: ServedPortal) -> None:
    portal.push("milestone-due.v1.coal-finance-in-7-days")
    portal.push("milestone-scheduled.v1.cumbre-aplazada")

    everything = words_in(portal.get("/live").text)
    one = words_in(portal.get("/live?commitment=nals-2021-coal-finance").text)
    assert everything.index("moved from 2022 to January 10, 2023") < everything.index("Due in 7 days")
    assert "Due in 7 days" in one and "moved from" not in one


def stream(portal: ServedPortal, count: int, query: str = "", **headers: str) -> list[dict[str, str]]:
    """So many events of the stream, each a dict of its fields."""
    events: list[dict[str, str]] = []
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx2.stream("GET", f"{portal.url}/events{query}", headers=named, timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif not line and "data" in fields:
                events.append(fields)
                if len(events) == count:
                    break
                fields = {}
            elif not line:
                fields = {}
    return events


def test_the_stream_tells_events_with_their_position_in_words(portal: ServedPortal) -> None:
    portal.push("milestone-due.v1.coal-finance-in-7-days")
    (event,) = stream(portal, 1, "?lang=fr")
    data = json.loads(event["data"])

    assert (event["id"], event["event"]) == ("milestone-due-0-1", "milestone-due")
    assert data["text"] == "Échéance dans 7 jours"
    assert data["url"] == "/commitments/nals-2021-coal-finance"
    assert data["event_id"] == "7c8e4a10-52b6-4e8f-b1d9-0f3e1a4c2b01"


def test_the_stream_goes_on_where_a_reader_left_it(portal: ServedPortal) -> None:
    for _ in range(3):
        portal.push("milestone-due.v1.coal-finance-in-7-days")

    assert [e["id"] for e in stream(portal, 1, last_event_id="milestone-due-0-2")] == ["milestone-due-0-3"]
    assert [e["id"] for e in stream(portal, 1, "?after=milestone-due-0-1")] == ["milestone-due-0-2"]


def test_the_stream_can_be_of_one_commitment(portal: ServedPortal) -> None:
    portal.push("milestone-scheduled.v1.cumbre-aplazada")
    portal.push("milestone-due.v1.coal-finance-in-7-days")

    assert [e["event"] for e in stream(portal, 1, "?commitment=nals-2021-coal-finance")] == ["milestone-due"]


def test_a_malformed_stream_address_is_refused(portal: ServedPortal) -> None:
    assert httpx2.get(portal.url + "/events?commitment=NOT+A+SLUG").status_code == 422
    assert httpx2.get(portal.url + "/events?lang=xx").status_code == 422


def test_metrics_are_counted_and_are_nobodys_business_at_the_public_door(portal: ServedPortal) -> None:
    assert "pledgewire_feed_events_total" in generate_latest().decode()
    assert httpx2.get(portal.url + "/metrics").status_code == 404
