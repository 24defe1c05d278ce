"""The JSON interface of the inbox, for tests and for the demo."""

import json
import time
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Query
from fastapi.responses import Response

from deploy.embedded.inbox import mails
from deploy.embedded.inbox.behaviours import Behaviour, Behaviours
from deploy.embedded.inbox.hooks import Hooks
from deploy.embedded.inbox.kept import KINDS, Box, Kind, Message, MessageFilter

Text = Annotated[str, Query(max_length=300)]
From0 = Annotated[int, Query(ge=0)]


def routes(box: Box, behaviours: Behaviours, hooks: Hooks) -> APIRouter:
    """Everything under /dev/inbox that answers in JSON."""
    api = APIRouter(prefix="/dev/inbox")

    @api.get("/messages")
    async def list_messages(
        kind: Text = "",
        name: Text = "",
        q: Text = "",
        after: From0 = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        wait: Annotated[float, Query(ge=0, le=30)] = 0,
    ) -> Response:
        """Messages with a number above `after`, oldest first; `wait` seconds for one to come, if there is none."""
        wanted, end = MessageFilter(kind, name, q), time.monotonic() + wait
        while True:
            version = box.version
            found = []
            for message in box.after(after, wanted):
                found.append(_brief(message))
                if len(found) == limit:
                    break
            left = end - time.monotonic()
            if found or left <= 0 or box.closing:
                return _json({"messages": found, **_counts(box)})
            await box.changed(version, left)

    @api.delete("/messages")
    async def forget() -> dict[str, int]:
        """Forget all messages, arrivals and refusals; numbers go on."""
        return {"forgotten": box.clear()}

    @api.get("/messages/{number}")
    async def one_message(number: int) -> Response:
        """A message with all that was sent."""
        message = box.get(number)
        if message is None:
            raise HTTPException(404, "no such message, or it had to make room")
        return _json(_whole(message))

    @api.get("/arrivals")
    async def list_arrivals(after: From0 = 0) -> Response:
        """[delivery_id, kind, name, arrived_at] of every message with a number above `after`, oldest first."""
        return Response(_encoded(box.arrivals(after)), media_type="application/json")

    @api.get("/counts")
    async def count() -> dict[str, Any]:
        """How many of what, without the messages."""
        return _counts(box) | {"receivers": [[kind, name, n] for (kind, name), n in sorted(box.names.items())]}

    @api.get("/refusals")
    async def list_refusals() -> list[dict[str, Any]]:
        """What was turned away, the latest 200, newest first."""
        return [{key: getattr(refusal, key) for key in refusal.__slots__} for refusal in reversed(box.refusals)]

    @api.put("/secrets/{name}", status_code=204)
    async def trust(name: str, secret: Annotated[str, Body(embed=True)]) -> None:
        """Check this receiver's webhooks with this secret."""
        try:
            hooks.trust(name, secret)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    @api.put("/behaviour/{kind}/{name}")
    async def behave(kind: Kind, name: str, behaviour: Behaviour) -> Behaviour:
        """Let a receiver fail or dawdle from now on."""
        behaviour.refused = 0
        behaviours.of[kind, name] = behaviour
        return behaviour

    @api.get("/behaviour/{kind}/{name}")
    async def behaviour_of(kind: Kind, name: str) -> Behaviour:
        """How a receiver was told to behave, and how often it has failed."""
        return behaviours.of.get((kind, name)) or Behaviour()

    @api.delete("/behaviour/{kind}/{name}", status_code=204)
    async def behave_well(kind: Kind, name: str) -> None:
        """Let a receiver take everything again."""
        behaviours.of.pop((kind, name), None)

    return api


def _counts(box: Box) -> dict[str, Any]:
    kinds = dict.fromkeys(KINDS, 0)
    for (kind, _), number in box.names.items():
        kinds[kind] += number
    return {
        "last": box.last,
        "kept": len(box.messages),
        "dropped": box.dropped,
        "arrivals_dropped": box.arrivals_dropped,
        "refused": box.refused,
        "by_kind": kinds,
    }


def _brief(message: Message) -> dict[str, Any]:
    keys = ("number", "kind", "name", "title", "arrived_at", "delivery_id", "commitment_id", "repeats")
    return {key: getattr(message, key) for key in keys}


def _whole(message: Message) -> dict[str, Any]:
    told = _brief(message) | {
        "note": message.note,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in message.headers],
        "body": message.body.decode("utf-8", "replace"),
    }
    if message.kind == "email":
        mail = mails.read(message.body)
        told["mail"] = {
            "headers": [list(header) for header in mail.headers],
            "html": mail.html,
            "text": mail.text,
            "calendar": mail.calendar,
            "parts": [
                {"at": part.at, "name": part.name, "content_type": part.content_type, "bytes": len(part.content)}
                for part in mail.parts
            ],
            "links": [link.url for link in mails.links(mail)],
        }
    return told


def _json(content: Any) -> Response:
    return Response(_encoded(content), media_type="application/json")


def _encoded(content: Any) -> bytes:
    # ASCII: half characters that someone sent as \ud800 come out as they came.
    return json.dumps(content, separators=(",", ":")).encode()
