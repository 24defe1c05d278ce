"""In which language an answer is: what knows the languages is handed in where a service is put together."""

from collections.abc import Callable

from starlette.types import Scope

from services.plumbing.sentences import Translate

ChooseLanguage = Callable[[str | None], tuple[str, Translate]]
"""For a header Accept-Language, or none: the tag of the language to answer in (RFC 9110, 12.5.4), and how to say it."""

_KEPT = "language"


def language_of_code(_: str | None = None) -> tuple[str, Translate]:
    """English for everybody, where no language is handed in."""
    return "en", str


def keep_language(scope: Scope, language: tuple[str, Translate]) -> None:
    """Keep the language of a request's answer with the request."""
    scope["state"][_KEPT] = language


def kept_language(scope: Scope) -> tuple[str, Translate]:
    """The language that was kept; the code's, where none was."""
    found: tuple[str, Translate] = scope.get("state", {}).get(_KEPT) or language_of_code()
    return found
