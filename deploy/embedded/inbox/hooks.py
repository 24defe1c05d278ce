"""The doors for chats and webhooks: `POST /hooks/{slack|teams|webhook}/{name}`.

Bare ASGI rather than a route: this is what a benchmark hammers, on a core that it shares with what is measured.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from standardwebhooks import Webhook
from starlette.types import Receive, Scope, Send

from deploy.embedded.inbox import identities, slack, teams, webhook
from deploy.embedded.inbox.behaviours import Behaviours
from deploy.embedded.inbox.kept import Box, Kind
from deploy.embedded.inbox.verdicts import AcceptedPost, Verdict

log = logging.getLogger("inbox")

LARGEST = 1 << 20
"""Bytes of a body; more than any of the platforms takes."""
PREFIX = "/hooks/"
NAME = re.compile(r"[\w.~@+-]{1,200}")


class Hooks:
    """Receives, judges, keeps, answers."""

    def __init__(self, box: Box, behaviours: Behaviours, secrets: Mapping[str, str]) -> None:
        self._box, self._behaviours = box, behaviours
        self._verifiers: dict[str, Webhook] = {}
        for name, secret in secrets.items():
            self.trust(name, secret)

    def trust(self, name: str, secret: str) -> None:
        """Check this receiver's webhooks with this secret (`whsec_…`) from now on; ValueError when it is none."""
        try:
            self._verifiers[name] = Webhook(secret)
        except Exception as error:  # the library has no common base for what it raises
            raise ValueError(f"not a webhook secret: {error}") from None

    def trusted(self) -> list[str]:
        """Receivers whose secret is known."""
        return sorted(self._verifiers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        kind, _, name = unquote(scope["path"][len(PREFIX) :]).partition("/")
        if kind not in _JUDGES or not NAME.fullmatch(name):
            await _answer(send, 404, b"no such hook")
            return
        if scope["method"] != "POST":
            await _answer(send, 405, b"a hook is posted to", [(b"allow", b"POST")])
            return
        body = await _whole(receive)
        arrived_at = time.time()
        if body is None:
            return
        await self._take(kind, name, arrived_at, body, scope["headers"], send)  # type: ignore[arg-type]  # it is one of _JUDGES

    async def _take(
        self, kind: Kind, name: str, arrived_at: float, body: bytes, raw: list[tuple[bytes, bytes]], send: Send
    ) -> None:
        headers = dict(raw)
        if failure := await self._behaviours.meet(kind, name):
            told = _delivery_in(kind, headers, body)
            self._box.refuse(kind, name, failure.status, "told to fail", told, arrived_at)
            wait = [] if failure.retry_after is None else [(b"retry-after", b"%d" % round(failure.retry_after))]
            await _answer(send, failure.status, b"this receiver was told to fail", wait)
            return
        if len(body) > LARGEST:
            self._box.refuse(kind, name, 413, f"over {LARGEST} bytes", None, arrived_at)
            await _answer(send, 413, b"too large")
            return
        verdict = _JUDGES[kind](self._verifiers.get(name), headers, body)
        if isinstance(verdict, AcceptedPost):
            self._box.add(
                kind,
                name,
                arrived_at,
                body,
                raw,
                title=verdict.title,
                delivery_id=verdict.delivery_id,
                commitment_id=verdict.commitment_id,
                note=verdict.note,
            )
        else:
            told = _delivery_in(kind, headers, body)
            self._box.refuse(kind, name, verdict.status, verdict.reason, told, arrived_at)
            log.info("refused %s for %s with %d: %s", kind, name, verdict.status, verdict.reason)
        await _answer(send, verdict.status, verdict.answer)


_JUDGES: dict[str, Callable[[Webhook | None, Mapping[bytes, bytes], bytes], Verdict]] = {
    "slack": lambda _, headers, body: slack.judge(headers, body),
    "teams": lambda _, headers, body: teams.judge(headers, body),
    "webhook": webhook.judge,
}


def _delivery_in(kind: Kind, headers: Mapping[bytes, bytes], body: bytes) -> str | None:
    """The delivery's id in something that was turned away, as far as it can be read."""
    if kind == "webhook":
        return headers.get(b"webhook-id", b"").decode("latin-1") or None
    try:
        payload = json.loads(body)
        if kind == "slack":
            return identities.of_slack(headers, payload, "")[0]
        return identities.of_teams(headers, payload["attachments"][0]["content"], "")[0]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


async def _whole(receive: Receive) -> bytes | None:
    """The body, of one that is far too large only the beginning; None when the sender has gone."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        if size <= LARGEST:
            pieces.append(piece)
            size += len(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    if status == 204:
        body = b""
    told = [(b"content-type", b"text/plain; charset=utf-8"), *(headers or [])]
    if status != 204:
        told.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
