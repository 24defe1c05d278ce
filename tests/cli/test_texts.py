"""Texts of the services' answers in a terminal, in whatever languages they are there."""

from services.cli.texts import shown


def test_words_are_shown_in_the_language_asked_for_or_as_near_as_they_are_there() -> None:
    assert shown({"en": "a", "es": "b"}, "es") == "b"
    assert shown({"en": "a", "es": "b"}) == "a"
    assert shown({"es-MX": "b", "pt": "d"}, "es") == "b"
    assert shown({"pt": "d"}, "fr") == "d"
