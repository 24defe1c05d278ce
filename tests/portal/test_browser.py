"""The pages in a real browser: accessible, at home on a small screen, quiet on the console, and alive."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from services.notifier.subscriptions.forms import FilterForm
from tests.portal.conftest import TODAY, ServedPortal
from tests.portal.test_languages_of_texts import in_spanish
from tests.portal.test_twenty_parties import WATER
from tests.stand_ins.portal_register import noon

CHROMIUM = "/usr/bin/chromium"
PAGES = ["/", "/?due=overdue", "/?due=asked", "/commitments/nals-2021-coal-finance", "/live", "/nothing-here"]
SCREENS = {"desktop": (1280, 900), "phone": (320, 640)}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which(CHROMIUM), reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Visit:
    """A page in the browser, with everything that it complains about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.addresses: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.addresses.append(request.url))


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Options of the browser's context come as the fixture's parameter."""
    context = chromium.new_context(**getattr(request, "param", {}))
    context.set_default_timeout(10_000)
    yield Visit(context.new_page())
    context.close()


def fill(portal: ServedPortal) -> list[str]:
    """Something of everything; the addresses of the pages that have come to be."""
    services = portal.services
    asked = FilterForm(events=("milestone-due",), themes=("climate",), commitments=tuple(services.register.records)[:3])
    chancery = services.subscribe("Cancillería", "email", language="es", filters=asked)
    desk = services.subscribe("Climate desk", "slack", state="disabled", reason="gone", ended_at=noon(TODAY))
    for subscription in (chancery, desk):
        services.tell(subscription, "milestone-due", "nals-2021-coal-finance")
    services.tell(desk, "status-changed", "nals-2021-coal-finance", state="failed", reason="gone")
    services.acknowledge("nals-2021-coal-finance-end", "ca-gac", noon(TODAY))
    for name in ("milestone-due.v1.coal-finance-in-7-days", "status-changed.v1.canada-seul"):
        portal.push(name)
    services.ask_about("nals-2021-coal-finance", language="es")
    pages = [f"/subscriptions/{chancery}", f"/subscriptions/{desk}", f"/subscriptions/{chancery}/stop"]
    return [*pages, f"/subscriptions/{chancery}?saved=language+events+timing", "/on-it/asked", "/lost-link"]


def context(language: str, screen: str, scheme: str) -> object:
    width, height = SCREENS[screen]
    options = {"locale": language, "viewport": {"width": width, "height": height}, "color_scheme": scheme}
    return pytest.param(options, id=f"{language}-{screen}-{scheme}")


# Colours are the same in every language, so dark is tried in one.
CONTEXTS = [context(language, screen, "light") for language in ("en", "es", "fr") for screen in SCREENS]
CONTEXTS += [context("en", screen, "dark") for screen in SCREENS]


@pytest.mark.parametrize("visit", CONTEXTS, indirect=True)
def test_pages_are_accessible_and_fit_and_complain_of_nothing(portal: ServedPortal, visit: Visit) -> None:
    for path in [*PAGES, *fill(portal)]:
        visit.page.goto(portal.url + path)
        for closed in visit.page.locator("details").all():
            closed.evaluate("node => { node.open = true }")
        found = Axe().run(visit.page, options=RULES)

        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        width = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], path
    assert [said for said in visit.complaints if "404" not in said] == []
    assert all(address.startswith(portal.url) for address in visit.addresses)


@pytest.mark.parametrize("visit", [context("fr", "phone", "light"), context("en", "desktop", "light")], indirect=True)
def test_a_statement_by_twenty_parties_is_at_home_on_a_phone(both: ServedPortal, visit: Visit) -> None:
    for path in ("/", WATER, "/?party=org-african-union"):
        visit.page.goto(both.url + path)
        found = Axe().run(visit.page, options=RULES)

        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        width = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], path


def test_the_live_page_says_in_which_language_a_title_is(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    page.goto(portal.url + "/live?lang=en")
    expect(page.locator("#state")).to_have_text("Connected")
    portal.take(in_spanish("milestone-scheduled.v1.cumbre-aplazada"))

    expect(page.locator(".feed h2 span[lang=es]")).to_have_count(1)
    expect(page.locator(".feed [data-slot=text]")).to_contain_text(": moved from 2022 to January 10, 2023")
    expect(page.locator(".feed [data-slot=text] span[lang=es]")).to_have_count(1)


def test_targets_are_big_enough_for_a_thumb(portal: ServedPortal, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 320, "height": 640})
    visit.page.goto(portal.url + "/")
    for target in visit.page.locator("header a, select, input, button, .legend a").all():
        box = target.bounding_box()
        assert box and box["height"] >= 24, target.evaluate("node => node.outerHTML")


def test_the_keyboard_gets_to_the_content_and_to_a_commitment(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    page.goto(portal.url + "/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".commitments a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_be_visible()


def test_a_choice_is_made_in_the_form(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    page.goto(portal.url + "/")
    page.get_by_label("Theme").select_option("nature")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/?*theme=nature*")

    assert 0 < page.locator(".commitments li").count() < len(portal.services.register.records)


def test_the_language_is_switched_and_kept(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    page.goto(portal.url + "/")
    page.get_by_role("link", name="Français").click()
    expect(page.locator("h1")).to_have_text("Ce qui a été promis, et où on en est")
    page.locator(".commitments a").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_the_live_page_shows_an_event_when_it_happens(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    portal.push("milestone-due.v1.coal-finance-in-7-days")
    page.goto(portal.url + "/live?lang=en")
    expect(page.locator("#state")).to_have_text("Connected")
    portal.push("milestone-scheduled.v1.cumbre-aplazada")

    expect(page.locator(".feed li")).to_have_count(2)
    expect(page.locator(".feed li").first).to_contain_text("moved from 2022 to January 10, 2023")
    expect(page.locator(".feed li").first.locator("a")).to_have_attribute("href", "/commitments/nals-2021-next-summit")
    assert visit.complaints == []


def test_the_live_page_can_be_paused(portal: ServedPortal, visit: Visit) -> None:
    page = visit.page
    page.goto(portal.url + "/live?lang=en")
    expect(page.locator("#state")).to_have_text("Connected")
    page.get_by_role("button", name="Pause").click()
    portal.push("milestone-due.v1.coal-finance-in-7-days")
    expect(page.locator("#state")).to_have_text("Paused; waiting: 1")
    expect(page.locator(".feed li")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()

    expect(page.locator(".feed li")).to_have_count(1)


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_everything_can_be_read_without_javascript(portal: ServedPortal, visit: Visit) -> None:
    fill(portal)
    page = visit.page
    page.goto(portal.url + "/live?lang=en")
    expect(page.locator(".feed li")).to_have_count(2)
    expect(page.locator("#pause")).to_be_hidden()
    expect(page.locator("#state")).to_have_text("Reload the page to see what is new.")


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_from_the_link_to_weekly_quiet_in_french_and_no_more_flags(portal: ServedPortal, visit: Visit) -> None:
    """
    As a new reader does it, from the link of a mail to the word that it is saved, without JavaScript.
    """
    asked = FilterForm(events=("consistency-flagged", "milestone-due", "status-changed"))
    id_ = portal.services.subscribe("Climate desk", "email", filters=asked)
    page = visit.page
    page.goto(f"{portal.url}/subscriptions/{id_}")
    page.get_by_role("combobox", name="Language", exact=True).select_option("fr")
    page.get_by_label("What does not agree in the register").uncheck()
    page.get_by_label("Once a week, all together").check()
    page.get_by_label("The same each day").check()
    page.get_by_role("button", name="Save").click()

    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("status")).to_contain_text("Enregistré.")
    expect(page.get_by_role("status")).to_contain_text("Une fois par semaine, en une seule fois, lundi")
    now = portal.services.subscriptions[id_]
    assert (now.language, now.filters.events) == ("fr", ("milestone-due", "status-changed"))
    assert now.timing and now.timing.rhythm == "weekly"
    assert [(hours.begins, hours.ends) for hours in now.timing.quiet_hours] == [("20:00", "07:00")]


def test_what_is_wrong_is_said_beside_its_field_to_who_listens(portal: ServedPortal, visit: Visit) -> None:
    id_ = portal.services.subscribe("Climate desk", "email")
    page = visit.page
    page.goto(f"{portal.url}/subscriptions/{id_}")
    for box in page.locator("input[name=events]").all():
        box.uncheck()
    page.get_by_role("button", name="Save").click()

    group = page.get_by_role("group", name="Kinds of news")
    expect(group).to_have_attribute("aria-describedby", "wrong-events")
    expect(page.locator("#wrong-events")).to_contain_text("Choose at least one")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
