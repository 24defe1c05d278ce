"""Mail: the headers that machines look at, and two parts that say the same."""

import re
from email.utils import parsedate_to_datetime

import pytest

from services.notifier.channels import email
from tests.notifier.channels.checks import Page
from tests.notifier.rendering.material import (
    GOLDEN,
    LANGUAGES,
    NOW,
    ONE_OF_EACH_KIND,
    mail,
    mailed,
    message,
    part,
    reader,
)

MJML_1 = {
    *("mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-style", "mj-body"),
    *("mj-section", "mj-column", "mj-text", "mj-table", "mj-button", "mj-raw"),
}


@pytest.fixture(params=sorted(ONE_OF_EACH_KIND))
def view(request):
    return ONE_OF_EACH_KIND[request.param]


def test_headers_say_whose_mail_it_is_and_that_a_machine_wrote_it(view):
    letter = mail(view, "es")
    delivery = reader()

    expected = {
        "From": "Pledgewire <notices@pledgewire.example>",
        "To": "enlace@semarnat.example",
        "Message-ID": f"<{delivery.delivery_id}@pledgewire.example>",
        "In-Reply-To": f"<commitment.{view.data.commitment.id}@pledgewire.example>",
        "References": f"<commitment.{view.data.commitment.id}@pledgewire.example>",
        "List-Id": "Pledgewire <pledgewire.pledgewire.example>",
        "List-Unsubscribe": f"<{delivery.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "es",
        "X-Pledgewire-Event": str(view.id),
    }
    assert expected == {name: letter[name] for name in expected}
    assert NOW.replace(microsecond=0) == parsedate_to_datetime(letter["Date"])


def test_a_second_attempt_is_the_same_mail_at_another_time(view):
    letters = [mailed(view, "fr") for _ in range(2)]
    first, second = (re.sub(rb"={15}\d+==", b"", letter) for letter in letters)

    assert first == second


def test_every_byte_passes_a_relay_that_knows_only_ascii(view):
    for language in LANGUAGES:
        raw = mailed(view, language)
        lines = raw.split(b"\r\n")

        assert raw.isascii()
        assert max(map(len, lines)) <= 998
        assert b"\n" not in b"".join(lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_both_parts_tell_the_same_facts_in_the_same_order(name, language):
    letter = mail(GOLDEN[name], language)
    content = message(GOLDEN[name], language)
    shown = Page(part(letter, "html")).seen
    written = " ".join(part(letter, "plain").replace("\n> ", " ").split())

    for text in (shown, written):
        order = [content.headline, content.title, content.lead, content.ask]
        if content.quotation:
            order += [content.quotation.label, content.quotation.text]
        at = 0
        for piece in [*order, *(fact.label for fact in content.facts)]:
            at = text.index(" ".join(piece.split()), at) + len(" ".join(piece.split()))
        values = [fact.value for fact in content.facts if "\x7f" not in fact.value]
        assert [value for value in [content.title, content.lead, *values] if " ".join(value.split()) not in text] == []
        if content.quotation:
            assert " ".join(content.quotation.text.split()) in text
        if content.change:
            assert content.change.before in text
            assert content.change.after in text
    for link in (link for link in content.links if "\x7f" not in link.url):  # a placeholder is each reader's own
        assert link.url in written
        assert link.url in Page(part(letter, "html")).addresses
    assert reader().unsubscribe_url in Page(part(letter, "html")).addresses
    assert reader().unsubscribe_url in written


def test_the_english_words_of_a_spanish_mail_are_marked_as_english():
    letter = mail(ONE_OF_EACH_KIND["commitment-created"], "es")

    assert ("span", "en") in Page(part(letter, "html")).languages


def test_the_templates_use_only_tags_that_mjml_knows():
    """The library drops a tag that it doesn't know, with all that is in it, and says nothing."""
    source = "".join(email._template(f"{name}.mjml") for name in ("layout", "mail", "group"))

    assert set(re.findall(r"<(mj[\w-]*)", source)) <= MJML_1
    assert {tag: source.count(f"<{tag}") for tag in ("mj-all", "mj-style")} == {"mj-all": 1, "mj-style": 1}


def test_no_placeholder_is_left_unfilled(view):
    for language in LANGUAGES:
        letter = mail(view, language)
        assert "\x7f" not in part(letter, "plain") + part(letter, "html") + str(letter["Subject"])
