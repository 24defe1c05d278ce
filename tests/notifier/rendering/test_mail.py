"""Mail: the headers that machines look at, and two parts that say the same."""

import re
from email.utils import parsedate_to_datetime

import pytest

from services.i18n.words import words_in
from services.notifier.channels import email
from services.notifier.rendering.content import tell
from services.notifier.rendering.render import for_delivery, render
from tests.notifier.rendering.material import (
    GOLDEN,
    LANGUAGES,
    LINKS,
    NOW,
    ONE_OF_EACH_KIND,
    mail,
    message,
    part,
    reader,
)
from tests.notifier.rendering.test_limits import Page

MJML_1 = {
    *("mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-style", "mj-body"),
    *("mj-section", "mj-column", "mj-text", "mj-table", "mj-button"),
}


@pytest.fixture(params=sorted(ONE_OF_EACH_KIND))
def view(request):
    return ONE_OF_EACH_KIND[request.param]


def test_headers_say_whose_mail_it_is_and_that_a_machine_wrote_it(view):
    letter = mail(view, "es")
    delivery = reader("es")

    expected = {
        "From": "Pledgewire <notices@pledgewire.example>",
        "To": "enlace@semarnat.example",
        "Message-ID": f"<{delivery.id}@pledgewire.example>",
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
    letters = [message(view, "email", "fr").email.as_bytes() for _ in range(2)]
    first, second = (re.sub(rb"={15}\d+==", b"", letter) for letter in letters)

    assert first == second


def test_every_byte_passes_a_relay_that_knows_only_ascii(view):
    for language in LANGUAGES:
        raw = message(view, "email", language).email.as_bytes()
        lines = raw.split(b"\r\n")

        assert raw.isascii()
        assert max(map(len, lines)) <= 998
        assert b"\n" not in b"".join(lines)


@pytest.mark.parametrize(
    "sender", ["notices@pledgewire.example", '"Señal, S.A." <a@b.example>', "x\r\nBcc: y <a@b.example>"]
)
def test_a_senders_name_stays_in_its_header(view, sender):
    letter = for_delivery(render(view, "email", "en", LINKS), reader("en"), sender=sender, attempted_at=NOW).email

    assert letter["Bcc"] is None
    assert len(letter.get_all("From")) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_both_parts_tell_the_same_facts_in_the_same_order(name, language):
    letter = mail(GOLDEN[name], language)
    told = tell(GOLDEN[name].data, words_in(language), LINKS.commitment(GOLDEN[name].data.commitment.id))
    shown = Page(part(letter, "html")).seen
    written = " ".join(part(letter, "plain").replace("\n> ", " ").split())

    for text in (shown, written):
        at = text.index(" ".join(told.lead.split())) + len(" ".join(told.lead.split()))
        for fact in told.facts:
            at = text.index(" ".join(fact.label.split()), at)
        values = [fact.value for fact in told.facts if "\x7f" not in fact.value]
        assert [value for value in [told.title, told.lead, *values] if " ".join(value.split()) not in text] == []
        if told.quotation:
            assert " ".join(told.quotation.text.split()) in text
        if told.change:
            assert told.change.before in text
            assert told.change.after in text
    for link in told.links[1:]:
        assert link.url in written
        assert link.url in Page(part(letter, "html")).addresses
    assert reader(language).unsubscribe_url in Page(part(letter, "html")).addresses
    assert reader(language).unsubscribe_url in written


def test_the_english_words_of_a_spanish_mail_are_marked_as_english():
    letter = mail(ONE_OF_EACH_KIND["commitment-created"], "es")

    assert ("span", "en") in Page(part(letter, "html")).languages


def test_the_template_uses_only_tags_that_mjml_knows():
    """The library drops a tag that it doesn't know, with all that is in it, and says nothing."""
    source = email._template("mail.mjml")

    assert set(re.findall(r"<(mj[\w-]*)", source)) <= MJML_1
    assert {tag: source.count(f"<{tag}") for tag in ("mj-all", "mj-style")} == {"mj-all": 1, "mj-style": 1}


def test_no_slot_is_left_open(view):
    for language in LANGUAGES:
        letter = mail(view, language)
        assert "\x7f" not in part(letter, "plain") + part(letter, "html") + str(letter["Subject"])
