"""One visit of a page: its reader's language, the template, and the headers that every page carries."""

import hashlib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.vocabulary import Language
from services.portal.voices import Voice, choose_language, load_voices

HERE = Path(__file__).parent
COOKIE = "lang"
_YEAR = 365 * 86_400

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from elsewhere, never in a frame."""


class Pages:
    """Renders templates in the language of the visit."""

    def __init__(self) -> None:
        self.voices = load_voices()
        self._environments = {language: _environment(voice) for language, voice in self.voices.items()}

    def voice(self, request: Request) -> Voice:
        """The voice for a request."""
        language = choose_language(
            request.query_params.get("lang"), request.cookies.get(COOKIE), request.headers.get("accept-language")
        )
        return self.voices[language]

    def show(self, request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """A page; a language asked for in the address is kept in a cookie."""
        voice = self.voice(request)
        html = (
            self._environments[voice.language]
            .get_template(template)
            .render(path=request.url.path, languages=_languages(request, self.voices), **context)
        )
        response = HTMLResponse(html, status)
        response.headers["content-language"] = voice.language
        response.headers["vary"] = "Accept-Language, Cookie"
        response.headers["cache-control"] = "no-cache"
        if request.query_params.get("lang") == voice.language:
            response.set_cookie(COOKIE, voice.language, max_age=_YEAR, samesite="lax", httponly=True)
        return response


def _environment(voice: Voice) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(voice.translations, newstyle=True)  # type: ignore[attr-defined]  # by i18n
    environment.globals.update(voice=voice, asset=_asset)
    return environment


def _asset(name: str, _known: MutableMapping[str, str] = {}) -> str:  # noqa: B006  the default is the memory
    """The address of a static file, with its content's digest, so that it may be kept for ever."""
    if name not in _known:
        digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
        _known[name] = f"/static/{name}?v={digest}"
    return _known[name]


def _languages(request: Request, voices: Mapping[Language, Voice]) -> list[tuple[Voice, str]]:
    """Every language with the address of this same page in it."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return [(voice, f"{request.url.path}?{urlencode([*kept, ('lang', voice.language)])}") for voice in voices.values()]


class SafeHeaders:
    """Adds the headers that keep a page to itself; written on ASGI, so that a stream passes through unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = {
                    "content-security-policy": POLICY,
                    "x-content-type-options": "nosniff",
                    "referrer-policy": "same-origin",
                    "permissions-policy": "camera=(), geolocation=(), microphone=()",
                    "cross-origin-opener-policy": "same-origin",
                }
                if scope["path"].startswith("/static/") and b"v=" in scope["query_string"] and message["status"] == 200:
                    added["cache-control"] = "public, max-age=31536000, immutable"
                message["headers"] = [*message["headers"], *((n.encode(), v.encode()) for n, v in added.items())]
            await send(message)

        await self._app(scope, receive, send_safely)
