"""The inbox put together: SMTP, the hooks and the pages, in one event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from deploy.embedded.inbox import interface, pages
from deploy.embedded.inbox.behaviours import Behaviours
from deploy.embedded.inbox.hooks import PREFIX, Hooks
from deploy.embedded.inbox.kept import Box
from deploy.embedded.inbox.mailbox import Mailbox, listen
from deploy.embedded.inbox.settings import InboxHttpSettings, InboxSettings


class _InboxServer(uvicorn.Server):
    """uvicorn without its signal handlers: whoever owns the inbox decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Inbox:
    """Listens from `async with` on until its end; `http_port` and `smtp_port` are where."""

    def __init__(
        self,
        settings: InboxSettings | None = None,
        http: InboxHttpSettings | None = None,
        *,
        box: Box | None = None,
        behaviours: Behaviours | None = None,
    ) -> None:
        """Take settings from the environment where none are given; a box and behaviours of one's own may be."""
        self._settings, self._http = settings or InboxSettings(), http or InboxHttpSettings()
        keeps = self._settings
        self.box = box or Box(keeps.keep_messages, keeps.keep_megabytes << 20, keeps.keep_arrivals)
        self.behaviours = behaviours or Behaviours()
        self.hooks = Hooks(self.box, self.behaviours, self._settings.webhook_secrets)
        self._app = self._build()
        self._smtp: asyncio.Server | None = None
        self._server: _InboxServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self.http_port = self.smtp_port = 0

    def _build(self) -> FastAPI:
        app = FastAPI(title="Pledgewire inbox", docs_url=None, redoc_url=None)
        app.include_router(interface.routes(self.box, self.behaviours, self.hooks))
        app.include_router(pages.routes(self.box, self.addresses))
        app.mount("/dev/inbox/static", StaticFiles(directory=pages.HERE / "static"))

        @app.get("/readyz", include_in_schema=False)
        async def readyz() -> Response:
            ready = self._smtp is not None and self._smtp.is_serving()
            return JSONResponse({"status": "ready" if ready else "waiting"}, 200 if ready else 503)

        @app.get("/", include_in_schema=False)
        async def root() -> Response:
            return RedirectResponse("/dev/inbox")

        return app

    def addresses(self) -> dict[str, str]:
        """Where to send what, for people."""
        web = f"http://{self._http.host}:{self.http_port}{PREFIX}"
        return {
            "Mail": f"smtp://{self._settings.smtp_host}:{self.smtp_port}",
            "Slack": f"{web}slack/NAME",
            "Teams": f"{web}teams/NAME",
            "Webhook": f"{web}webhook/NAME",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send hooks the short way, all else to the routes."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.hooks(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def __aenter__(self) -> Self:
        """Listen; OSError when a port is taken."""
        self._smtp = await listen(
            Mailbox(self.box, self.behaviours), self._settings.smtp_host, self._settings.smtp_port
        )
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]
        config = uvicorn.Config(
            self,
            host=self._http.host,
            port=self._http.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=2048,
        )
        listener = await _bound(self._http.host, self._http.port)
        self.http_port = listener.getsockname()[1]
        self._server = _InboxServer(config)
        self._serving = asyncio.create_task(self._server.serve([listener]), name="inbox http")
        while not self._server.started:
            if self._serving.done():
                await self._serving
                raise OSError("the HTTP server ended while it was starting")
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once: nothing here has to be finished."""
        self.box.close()
        if self._smtp:
            self._smtp.close()
        if self._server and self._serving:
            self._server.should_exit = True
            await self._serving


async def _bound(host: str, port: int) -> socket.socket:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
