"""Texts of the services' answers, as a terminal shows them, and the language of who sits there."""

import os
from collections.abc import Mapping

from contracts.vocabulary import LanguageTag, Text
from services.i18n.languages import choose_language


def shown(text: Mapping[str, str], language: str = "en") -> str:
    """The words in a language, or as near to it as they are there."""
    return Text(dict(text)).in_language(language).text


def terminal_language(asked: str | None = None) -> LanguageTag:
    """The language that is asked for, else the one in which the environment says that messages are read (POSIX)."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return choose_language(asked, None, named.partition(".")[0].replace("_", "-"))
