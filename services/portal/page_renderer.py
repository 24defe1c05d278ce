"""Renders templates in the reader's language, with the names and dates of `services.i18n` at hand."""

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from datetime import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.vocabulary import Language, Status, Text
from services.i18n.delivery_names import channel_name, delivery_state, reason_name, subscription_state
from services.i18n.distances import days_from_today, distance_from_event, step_in_words
from services.i18n.event_names import date_change, event_name, followed_event_in_full
from services.i18n.languages import choose_language
from services.i18n.names import (
    country_list,
    country_name,
    language_name,
    level_name,
    reading_name,
    status_label,
    strength_label,
    theme_title,
)
from services.i18n.spans import span_name
from services.i18n.text import one_line
from services.i18n.words import Words, words_in

HERE = Path(__file__).parent
COOKIE = "lang"
_YEAR = 365 * 86_400


class PageRenderer:
    """Renders templates in the language of the visit."""

    def __init__(self) -> None:
        self._environments: Mapping[Language, Environment] = {
            language: _environment(words_in(language)) for language in Language
        }

    def words(self, request: Request) -> Words:
        """The language of a request: asked for in the address, kept in the cookie, or the browser's."""
        language = choose_language(
            request.query_params.get("lang"), request.cookies.get(COOKIE), request.headers.get("accept-language")
        )
        return words_in(language)

    def show(self, request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """A page; a language asked for in the address is kept in a cookie."""
        language = self.words(request).language
        html = (
            self._environments[language]
            .get_template(template)
            .render(path=request.url.path, languages=_languages(request), **context)
        )
        response = HTMLResponse(html, status)
        response.headers["content-language"] = language
        response.headers["vary"] = "Accept-Language, Cookie"
        response.headers["cache-control"] = "no-cache"
        if request.query_params.get("lang") == language:
            response.set_cookie(COOKIE, language, max_age=_YEAR, samesite="lax", httponly=True)
        return response


def localized(text: Text, words: Words) -> str:
    """A text of the register in the language of the page."""
    return text.in_language(words.language)


def wall_time(written: str, words: Words) -> str:
    """What a wall clock shows (`10:00`), as people write it: `10:00 AM`, `10 h 00`."""
    return words.time_of_day(time.fromisoformat(written))


_IN_TEMPLATES: tuple[Callable[..., str], ...] = (
    channel_name,
    country_list,
    country_name,
    date_change,
    days_from_today,
    delivery_state,
    distance_from_event,
    event_name,
    followed_event_in_full,
    language_name,
    level_name,
    localized,
    reading_name,
    reason_name,
    span_name,
    status_label,
    step_in_words,
    strength_label,
    subscription_state,
    theme_title,
    wall_time,
)
"""Functions that templates call by their names, without the words: those of the page are filled in."""


def _environment(words: Words) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=_as_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]  # by i18n
    environment.globals.update(words=words, asset=_asset, statuses=tuple(Status))
    environment.globals.update({function.__name__: partial(function, words=words) for function in _IN_TEMPLATES})
    return environment


def _as_seen(value: Any) -> Any:
    """What a template puts into a page: of text only what is seen, wherever it comes from; markup is ours."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str, _known: MutableMapping[str, str] = {}) -> str:  # noqa: B006  the default is the memory
    """The address of a static file, with its content's digest, so that it may be kept for ever."""
    if name not in _known:
        digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
        _known[name] = f"/static/{name}?v={digest}"
    return _known[name]


def _languages(request: Request) -> list[tuple[Words, str]]:
    """Every language with the address of this same page in it."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return [
        (words_in(language), f"{request.url.path}?{urlencode([*kept, ('lang', language)])}") for language in Language
    ]
