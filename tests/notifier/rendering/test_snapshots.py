"""The golden events as people get them. Read the snapshots when they change: they are what is sent."""

import pytest

from tests.notifier.rendering.material import GOLDEN, LANGUAGES, mail, part, payload


def each_in_one_language(first: int) -> list[tuple[str, str]]:
    """Each golden event in one language, by its name alone: a new example changes no other's snapshot."""
    return [(name, LANGUAGES[(first + sum(name.encode())) % 3]) for name in GOLDEN]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_event_reads_like_this_in_a_mail(name, language, snapshot):
    letter = mail(GOLDEN[name], language)

    assert "\n".join([f"Subject: {letter['Subject']}", "", part(letter, "plain")]) == snapshot


@pytest.mark.parametrize(("name", "language"), each_in_one_language(0))
def test_a_golden_event_looks_like_this_in_slack(name, language, snapshot):
    assert payload(GOLDEN[name], "slack", language) == snapshot


@pytest.mark.parametrize(("name", "language"), each_in_one_language(1))
def test_a_golden_event_looks_like_this_in_teams(name, language, snapshot):
    assert payload(GOLDEN[name], "teams", language) == snapshot
