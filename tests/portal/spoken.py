"""In which language each stretch of a page is, as a screen reader would take it."""

from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "link", "input", "br", "img", "hr", "path", "rect", "circle"}
_SAID = ("title", "aria-label", "alt", "placeholder")
"""Attributes that are read out."""


class _Listener(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.languages: list[str] = []
        self.heard: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        language = told.get("lang") or (self.languages[-1] if self.languages else "")
        self.heard += [(text, language) for name in _SAID if (text := told.get(name))]
        if tag not in _VOID:
            self.languages.append(language)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.languages.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        self.heard.append((data, self.languages[-1] if self.languages else ""))


def heard(html: str) -> list[tuple[str, str]]:
    """Every text of a page, those of attributes included, with its language."""
    listener = _Listener()
    listener.feed(html)
    return [(" ".join(text.split()), language) for text, language in listener.heard if text.strip()]


def in_one_language(told: Any, language: str) -> Any:
    """An answer or an event of a register whose texts are there in one language, which is that of the original."""
    if isinstance(told, list):
        return [in_one_language(one, language) for one in told]
    if not isinstance(told, dict):
        return told
    if told and set(told) == {"en", "es", "fr"}:
        return {language: told[language]}
    rewritten = {name: in_one_language(one, language) for name, one in told.items()}
    return rewritten | ({"language": language} if {"title", "language"} <= set(told) else {})


def texts_of(told: Any, language: str) -> set[str]:
    """Every text in it, in a language."""
    if isinstance(told, list):
        return set().union(*(texts_of(one, language) for one in told))
    if not isinstance(told, dict):
        return set()
    if language in told and set(told) <= {"en", "es", "fr"}:
        return {told[language]}
    return set().union(*(texts_of(one, language) for one in told.values()))
