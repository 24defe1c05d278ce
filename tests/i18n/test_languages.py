"""Which language a reader gets."""

import pytest

from services.i18n.languages import choose_language


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        ("fr", "es", "en", "fr"),
        (None, "es", "en", "es"),
        ("tlh", None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, None, "en;q=0.1, es-MX;q=0.9", "es"),
        (None, None, "de, es;q=0", "en"),
        (None, None, "es;q=loud, fr;q=0.2", "fr"),
        (None, None, None, "en"),
        ("", "", ",;;q=,", "en"),
    ],
)
def test_the_reader_gets_the_language_that_fits_best(
    asked: str | None, kept: str | None, accepted: str | None, chosen: str
) -> None:
    assert chosen == choose_language(asked, kept, accepted)
