"""Renders templates in the reader's language, with the names and dates of `services.i18n` at hand."""

import hashlib
from collections.abc import Callable, Collection, Mapping, MutableMapping
from datetime import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.commitments import Offset
from contracts.vocabulary import LanguageTag, Status
from services.i18n.delivery_names import channel_name, delivery_state, reason_name, subscription_state
from services.i18n.distances import days_from_today, distance_from_event, step_in_words
from services.i18n.event_names import date_change, event_name, followed_event_in_full
from services.i18n.languages import choose_language, nearest_language, written_as, written_languages
from services.i18n.names import (
    assessment_label,
    language_name,
    level_name,
    reading_name,
    status_label,
    strength_label,
    theme_title,
)
from services.i18n.spans import span_name
from services.i18n.text import capitalized, one_line
from services.i18n.words import Words, words_in
from services.portal.moments import day_there, told_moment, zone_of_parties
from services.portal.page_text import (
    MOST_NAMED,
    Original,
    PageText,
    as_written,
    by_alphabet,
    in_language,
    localized,
    party_list,
    party_name,
    phrase,
    reported_by,
)

HERE = Path(__file__).parent
COOKIE = "lang"
SOON_DAYS = 30
"""So far ahead the registry calls a last day soon; said to readers."""
_YEAR = 365 * 86_400
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The days of the week as services name them."""


class PageRenderer:
    """Renders templates in the language of the visit."""

    def __init__(self) -> None:
        self._environments: Mapping[LanguageTag, Environment] = {
            language: _environment(words_in(language)) for language in written_languages()
        }

    def words(self, request: Request, spoken: LanguageTag | None = None) -> Words:
        """The language of a request: asked for in the address, else `spoken` where the reader is known to read that,
        else kept in the cookie, or the browser's.
        """
        if spoken is not None:
            return words_in(choose_language(request.query_params.get("lang"), nearest_language(spoken), None))
        language = choose_language(
            request.query_params.get("lang"), request.cookies.get(COOKIE), request.headers.get("accept-language")
        )
        return words_in(language)

    def show(
        self,
        request: Request,
        template: str,
        status: int = 200,
        /,
        *,
        spoken: LanguageTag | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page; a language asked for in the address is kept in a cookie. `spoken` as for `words`."""
        language = self.words(request, spoken).language
        html = (
            self._environments[language]
            .get_template(template)
            .render(path=request.url.path, languages=_languages(request), **context)
        )
        response = HTMLResponse(html, status)
        response.headers["content-language"] = language
        response.headers["vary"] = "Accept-Language, Cookie"
        response.headers["cache-control"] = "no-cache"
        if written_as(request.query_params.get("lang", "")) == language:
            response.set_cookie(COOKIE, language, max_age=_YEAR, samesite="lax", httponly=True)
        return response


def whom_it_binds(codes: Collection[str], original: Original, words: Words) -> PageText:
    """Parties by their names, or how many they are where that is too many for a line: `20 parties`."""
    if len(codes) > MOST_NAMED:
        return phrase(words.ngettext("%(number)s party", "%(number)s parties", len(codes)))
    return party_list(codes, original, words)


def parties_by_name(parties: Mapping[str, Original], words: Words) -> list[tuple[str, PageText]]:
    """Parties to choose from, in the order of their names."""
    named = [(code, party_name(code, original, words)) for code, original in parties.items()]
    return sorted(named, key=lambda one: by_alphabet(one[1]))


def distance_from(offset: Offset | None, event: PageText, words: Words) -> PageText:
    """How far from an event: `90 days after NALS 2022`."""
    return phrase(distance_from_event(offset, event.written, words))


def labelled(name: PageText, words: Words) -> PageText:
    """With the colon of the language."""
    return phrase(words.label(name.written))


def listed_in(items: Collection[str], language: LanguageTag, words: Words) -> PageText:
    """What is there in one language only, as a list in prose."""
    return phrase(words.listed(in_language(item, language, words).written for item in items))


def due_state_label(state: str, words: Words) -> str:
    """What the due state of a milestone is called in a form; of a later release, by its own word."""
    match state:
        case "overdue":
            return words.gettext("Overdue")
        case "asked":
            return words.gettext("Has it taken place?")
        case "soon":
            return words.ngettext("Due within %(number)s day", "Due within %(number)s days", SOON_DAYS)
    return state


def changed_within_label(days: int | str, words: Words) -> str:
    """That another status or date was recorded lately, as it is called in a form."""
    return words.ngettext("Changed in the last %(number)s day", "Changed in the last %(number)s days", int(days))


def weekday_name(name: str, words: Words) -> str:
    """A day of the week, by its name in English; another by that name."""
    names = dict(zip(WEEKDAYS, words.weekdays, strict=True))
    return names.get(name, name)


def theme_names(themes: Collection[str], choices: Any, words: Words) -> list[str]:
    """Themes by their titles, where `choices` have them, or by what we call them."""
    known = choices.themes if choices else {}

    def named(theme: str) -> str:
        if not known.get(theme):
            return theme_title(theme, words)
        title, original = known[theme]
        return localized(title, original, words).written

    return [named(theme) for theme in themes]


def wall_time(written: str, words: Words) -> str:
    """What a wall clock shows (`10:00`), as people write it: `10:00 AM`, `10 h 00`."""
    return words.time_of_day(time.fromisoformat(written))


_IN_TEMPLATES: tuple[Callable[..., Any], ...] = (
    changed_within_label,
    channel_name,
    date_change,
    days_from_today,
    delivery_state,
    distance_from,
    event_name,
    followed_event_in_full,
    in_language,
    labelled,
    language_name,
    level_name,
    listed_in,
    localized,
    parties_by_name,
    party_list,
    party_name,
    reading_name,
    reason_name,
    reported_by,
    span_name,
    status_label,
    step_in_words,
    assessment_label,
    as_written,
    due_state_label,
    strength_label,
    subscription_state,
    theme_names,
    theme_title,
    told_moment,
    wall_time,
    weekday_name,
    whom_it_binds,
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
    environment.filters["capitalized"] = capitalized
    environment.globals.update(words=words, asset=_asset, statuses=tuple(Status), most_named=MOST_NAMED)
    environment.globals.update(day_there=day_there, zone_of_parties=zone_of_parties)
    environment.globals.update({function.__name__: partial(function, words=words) for function in _IN_TEMPLATES})
    return environment


def _as_seen(value: Any) -> Any:
    """What a template puts into a page: of text only what is seen, wherever it comes from; markup is ours."""
    if isinstance(value, PageText):
        return phrase(value.written)
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
        (words_in(language), f"{request.url.path}?{urlencode([*kept, ('lang', language)])}")
        for language in written_languages()
    ]
