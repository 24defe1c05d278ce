"""What messages are made of: the reason for getting one, the subject line."""

import re
from pathlib import Path

import pytest

from contracts.filters import Filters
from services.i18n.names import theme_title
from services.i18n.words import words_in
from services.notifier import channels
from services.notifier.delivery.messages import matched_by
from services.notifier.rendering.footer_reason import footer_reason
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, message

CHANNELS = Path(channels.__file__).parent


def test_templates_hold_no_words_of_their_own():
    for path in (CHANNELS / "templates").iterdir():
        source = re.sub(r"\{[{%].*?[%}]\}|<mj-style>.*?</mj-style>|<[^>]*>", " ", path.read_text(), flags=re.S)
        assert re.findall(r"\w{2,}", source) == [], path.name


def test_a_reason_names_what_was_met_and_nothing_else():
    view = GOLDEN["status-changed.v1.canada-seul"]
    subject = matched_by(view)
    theme = view.data.commitment.themes[0]
    filters = Filters(
        parties=frozenset({"CA", "MX"}), themes=frozenset({theme, "other"}), events=frozenset({"status-changed"})
    )

    assert f"You get this because you follow: {theme_title(theme, words_in('en'))} · Canada · changes of status." == (
        footer_reason(filters, subject, "en")
    )
    assert footer_reason(Filters(), subject, "en") == "You get this because you follow all that is in the register."


def test_a_reason_names_the_level_that_is_asked_and_ones_own_ladder():
    def reason(name, **filters):
        view = GOLDEN[name]
        return footer_reason(Filters(**filters), matched_by(view), "en")

    assert reason("milestone-escalated.v1.cabinet-du-ministre") == (
        "You get this because you follow: escalations to “Minister’s office”."
    )
    assert reason("milestone-escalated.v1.focal-point-first", events=frozenset({"milestone-escalated"})) == (
        "You get this because you follow: escalations to “Focal point”."
    )
    assert reason("own-ladder-due.v1.two-business-days", parties=frozenset({"CA"})) == (
        "You get this because you follow: your own reminder ladder · Canada."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_a_subject_line_fits_a_telephone_and_keeps_what_is_new(name, language):
    told = message(GOLDEN[name], language)

    assert re.match(r"\[[A-Z/]+ - [^\]]+\] .+: .+", told.subject)
    assert len(told.subject) < 70
    assert told.subject.endswith(told.headline[-3:])
