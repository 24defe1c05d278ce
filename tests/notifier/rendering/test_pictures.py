"""Every kind of message in a real browser: pictures in `build/messages`, to be looked at; and what can be measured.

A mail has to fit a telephone, to say what is new and what is asked before one scrolls, and to be readable on a dark
screen, in each language.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.embedded.inbox import pages
from services.notifier.channels import FOR_PEOPLE
from tests.notifier.rendering.kinds import EACH_GROUP, EACH_KIND, mailed_group, sent_group
from tests.notifier.rendering.material import LANGUAGES, mail, part, posted

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[3] / "build" / "messages"
WIDTHS = {"phone": 360, "desktop": 900}
FOLD = 12
"""Lines of a mail up to the button for what is asked, on a telephone."""
OF_EACH_FORM = ("created", "moved", "escalated", "digest")
"""What holds everything that a mail may hold: the others are laid out by the same two templates."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LINES = """() => {
    const button = document.querySelector('.button'), tops = [];
    const range = document.createRange();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!node.data.trim() || !node.parentElement.offsetHeight) continue;
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            if (box.height > 3 && box.top < button.getBoundingClientRect().bottom) tops.push(box.bottom);
        }
    }
    return [...new Set(tops.map(top => Math.round(top / 6)))].length;
}"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which(CHROMIUM), reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new"])
        yield browser
        browser.close()


def html_of(name: str, language: str) -> str:
    """The mail's page: of one event, or of a group."""
    if name in EACH_KIND:
        return part(mail(EACH_KIND[name], language), "html")
    events, kind, rhythm = EACH_GROUP[name]
    return part(mailed_group(events, language, kind, rhythm), "html")


def card_of(name: str, channel: str, language: str) -> bytes:
    """What is posted to a chat."""
    if name in EACH_KIND:
        return posted(EACH_KIND[name], channel, language)
    events, kind, rhythm = EACH_GROUP[name]
    return sent_group(events, channel, language, kind, rhythm)


def shown(page: Page, html: str, picture: str) -> None:
    page.set_content(html, wait_until="domcontentloaded")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{picture}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_fits_and_asks_above_the_fold_and_is_readable(
    chromium: Browser, language: str, width: str, scheme: str
) -> None:
    page = chromium.new_page(viewport={"width": WIDTHS[width], "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in (*EACH_KIND, *EACH_GROUP):
        if scheme == "dark" and language != "en":
            continue  # colours are the same in every language
        shown(page, html_of(name, language), f"{name}.mail.{language}.{width}.{scheme}")

        scroll, client = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert scroll <= client, name
        if width == "phone" and name in EACH_KIND:
            assert page.evaluate(LINES) <= FOLD, name
        if name in OF_EACH_FORM:
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{name}\n{found.generate_report()}"
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == [], "a mail asks nobody for anything"
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", sorted(FOR_PEOPLE - {"email"}))
def test_a_card_is_drawn_as_the_inbox_draws_it(chromium: Browser, channel: str, language: str) -> None:
    style = (Path(pages.__file__).parent / "static" / "inbox.css").read_text(encoding="utf-8")
    page = chromium.new_page(viewport={"width": 700, "height": 700})
    for name in (*EACH_KIND, *EACH_GROUP):
        payload = json.loads(card_of(name, channel, language))
        message = SimpleNamespace(name="desk", arrived_at=1_669_118_400.0)
        drawn = pages._templates().get_template(f"{channel}.html").render(message=message, payload=payload)
        html = f"<!doctype html><meta charset=utf-8><style>{style} body {{ overflow: auto }}</style>{drawn}"
        shown(page, html, f"{name}.{channel}.{language}")

        assert "not drawn here" not in drawn, name
        assert not re.search(r"class=\"mention\"", drawn), name
    page.close()
