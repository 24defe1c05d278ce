"""The headers that keep a page to itself, on every answer."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
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


class SecurityHeaders:
    """Adds the headers; written on ASGI, so that a stream passes through unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = {
                    "content-security-policy": CONTENT_SECURITY_POLICY,
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
