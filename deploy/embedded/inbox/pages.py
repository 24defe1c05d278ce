"""The page to read in: a list, and beside it the chosen message as its receiver would see it."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.embedded.inbox import calendars, links, mails, markup
from deploy.embedded.inbox.conversations import GROUPINGS, Conversation, Grouping, conversations
from deploy.embedded.inbox.kept import KINDS, Box, Message, MessageFilter
from deploy.embedded.inbox.verdicts import shown

HERE = Path(__file__).parent
PER_PAGE = 100

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
# A mail is somebody else's page: no script, nothing from the network, an origin of its own. Its links open elsewhere.
MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}

TABS: Mapping[str, tuple[str, ...]] = {
    "email": ("html", "text", "source", "headers", "parts", "checks"),
    "slack": ("card", "json", "headers"),
    "teams": ("card", "json", "headers"),
    "webhook": ("json", "headers"),
}
TAB_NAMES = {
    "html": "HTML",
    "text": "Text",
    "source": "Source",
    "headers": "Headers",
    "calendar": "Calendar",
    "parts": "Parts",
    "checks": "Checks",
    "card": "Card",
    "json": "JSON",
}

Text = Annotated[str, Query(max_length=300)]
Number = Annotated[int | None, Query(ge=1)]


class _View:
    """What the address of the page asks for, and how to write such addresses."""

    def __init__(self, wanted: MessageFilter, before: int | None, n: int | None, tab: str, theme: str, by: str) -> None:
        self.wanted, self.before, self.n, self.tab = wanted, before, n, tab
        self.by: Grouping | None = next((one for one in GROUPINGS if one == by), None)
        self.theme = theme if theme in ("light", "dark") else ""

    def url(self, **changes: Any) -> str:
        """The page's address with some of it changed; None takes a part away."""
        parts = {
            "kind": self.wanted.kind,
            "name": self.wanted.name,
            "q": self.wanted.words,
            "by": self.by,
            "before": self.before,
            "n": self.n,
            "tab": self.tab,
            "theme": self.theme,
        } | changes
        query = urlencode({key: value for key, value in parts.items() if value})
        return f"/dev/inbox?{query}" if query else "/dev/inbox"


def routes(box: Box, addresses: Callable[[], Mapping[str, str]]) -> APIRouter:
    """The pages; `addresses` says where to send mail and posts to, for the empty page."""
    pages = APIRouter(include_in_schema=False)
    templates = _templates()

    def view(
        kind: Text = "",
        name: Text = "",
        q: Text = "",
        before: Number = None,
        n: Number = None,
        tab: Text = "",
        theme: Text = "",
        by: Text = "",
    ) -> _View:
        return _View(MessageFilter(kind, name, q), before, n, tab, theme, by)

    def page(name: str, **values: Any) -> HTMLResponse:
        text = templates.get_template(name).render(**values)
        return HTMLResponse(text, headers={**_SAFE, "Content-Security-Policy": PAGE_POLICY})

    def listed(seen: _View) -> dict[str, Any]:
        found = list(islice(_listed(box, seen), PER_PAGE + 1))
        return {
            "view": seen,
            "box": box,
            "conversations": found[:PER_PAGE],
            "more": len(found) > PER_PAGE,
            "kinds": _by_kind(box),
        }

    def chosen(seen: _View) -> dict[str, Any]:
        message = box.get(seen.n) if seen.n else None
        shared = {"view": seen, "box": box, "addresses": addresses(), "message": message}
        return shared | (_panel(message, seen.tab) if message else {})

    @pages.get("/dev/inbox")
    async def inbox(request: Request) -> Response:
        seen = view(**_query(request))
        names = sorted({name for _, name in box.names}, key=str.casefold)
        return page("page.html", **(listed(seen) | chosen(seen)), names=names[:500])

    @pages.get("/dev/inbox/list")
    async def message_list(request: Request) -> Response:
        tag = f'"{box.tag}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        answer = page("list.html", **listed(view(**_query(request))))
        answer.headers["ETag"] = tag
        return answer

    @pages.get("/dev/inbox/panel")
    async def panel(request: Request) -> Response:
        return page("panel.html", **chosen(view(**_query(request))))

    @pages.get("/dev/inbox/messages/{number}/html")
    async def mail_html(number: int) -> Response:
        mail = _mail(_kept(box, number))
        return HTMLResponse(_framed(mail), headers={**_SAFE, "Content-Security-Policy": MAIL_POLICY})

    @pages.get("/dev/inbox/messages/{number}/source")
    async def source(number: int) -> Response:
        headers = {**_SAFE, "Content-Security-Policy": "default-src 'none'; sandbox"}
        return Response(_kept(box, number).body, media_type="text/plain; charset=utf-8", headers=headers)

    @pages.get("/dev/inbox/messages/{number}/parts/{at}")
    async def part(number: int, at: int) -> Response:
        for one in _mail(_kept(box, number)).parts:
            if one.at == at:
                headers = {
                    **_SAFE,
                    "Content-Security-Policy": "default-src 'none'; sandbox",
                    "Content-Disposition": f"attachment; filename*=UTF-8''{quote(one.name, safe='')}",
                }
                return Response(one.content, media_type="application/octet-stream", headers=headers)
        raise HTTPException(404, "no such part")

    @pages.post("/dev/inbox/messages/{number}/links")
    async def ask_links(request: Request, number: int) -> Response:
        # Another site's form must not make us knock at doors.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403, "only from the inbox's own page")
        message = _kept(box, number)
        answers = await links.ask([link.url for link in mails.links(_mail(message))])
        return page("links.html", answers=answers, message=message)

    return pages


def _listed(box: Box, seen: _View) -> Iterator[Conversation]:
    """What the list shows: each message by itself, or conversations, those that had word last first."""
    if seen.by is None:
        return (Conversation([message]) for message in box.before(seen.before, seen.wanted))
    found = conversations(box.before(None, seen.wanted), seen.by)
    return (one for one in found if seen.before is None or one.newest.number < seen.before)


def _query(request: Request) -> dict[str, Any]:
    """The known parts of the query, numbers as numbers; what is no number is as good as nothing."""
    found: dict[str, Any] = {}
    for key in ("kind", "name", "q", "tab", "theme", "by"):
        found[key] = shown(request.query_params.get(key, ""))[:300]
    for key in ("before", "n"):
        given = request.query_params.get(key, "")
        found[key] = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else None
    return found


def _kept(box: Box, number: int) -> Message:
    message = box.get(number)
    if message is None:
        raise HTTPException(404, "no such message, or it had to make room")
    return message


@lru_cache(maxsize=32)
def _mail_of(body: bytes) -> mails.ReceivedMail:
    return mails.read(body)


def _mail(message: Message) -> mails.ReceivedMail:
    if message.kind != "email":
        raise HTTPException(404, "not a mail")
    return _mail_of(message.body)


def _by_kind(box: Box) -> dict[str, int]:
    counts = dict.fromkeys(KINDS, 0)
    for (kind, _), number in box.names.items():
        counts[kind] += number
    return {str(kind): number for kind, number in counts.items()}


def _panel(message: Message, tab: str) -> dict[str, Any]:
    tabs = list(TABS[message.kind])
    context: dict[str, Any] = {"names_of_tabs": TAB_NAMES, "tabs": tabs}
    if message.kind == "email":
        mail = _mail(message)
        if mail.calendar is not None:
            tabs.insert(2, "calendar")
        if mail.html is None:
            tabs.remove("html")
        if not mail.parts:
            tabs.remove("parts")
        context["mail"] = mail
    chosen = context["tab"] = tab if tab in tabs else tabs[0]
    match chosen:
        case "checks":
            context["checks"] = mails.checks(context["mail"])
        case "calendar":
            context["events"] = calendars.events(context["mail"].calendar)
        case "card" | "json":
            context["payload"] = json.loads(message.body)
            context["pretty"] = shown(json.dumps(context["payload"], indent=2, ensure_ascii=False))
        case "source":
            context["source"] = shown(message.body.decode("utf-8", "replace").replace("\r\n", "\n"))
        case "headers" if message.kind != "email":
            context["headers"] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.headers]
    return context


_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


def _framed(mail: mails.ReceivedMail) -> str:
    """The mail's HTML, its own pictures put in, its links told to open beside the page. The policy keeps it safe."""
    html = mail.html or ""
    for part in mail.parts:
        if part.content_id and part.content_type.startswith("image/"):
            data = base64.b64encode(part.content).decode()
            html = html.replace(f"cid:{part.content_id}", f"data:{part.content_type};base64,{data}")
    base = '<base target="_blank">'
    if head := _HEAD.search(html):
        return html[: head.end()] + base + html[head.end() :]
    return base + html


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slack_plain"] = markup.slack_plain
    environment.filters["slack_mrkdwn"] = markup.slack_mrkdwn
    environment.filters["teams_markdown"] = markup.teams_markdown
    environment.filters["clean"] = lambda text: shown(str(text))
    environment.filters["moment"] = _moment
    environment.filters["size"] = _size
    environment.tests["address"] = lambda url: str(url).lower().startswith(("https://", "http://", "mailto:"))
    return environment


def _moment(at: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(at).astimezone().strftime(form)


def _size(number: int) -> str:
    return f"{number} B" if number < 1024 else f"{number / 1024:.1f} KB"
