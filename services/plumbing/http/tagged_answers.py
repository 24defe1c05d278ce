"""Gives JSON answers their entity tags on the way out, whatever route they come from."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send

from services.plumbing.http.etags import etag, is_current

_NOT_OF_304 = ("content-length", "content-type")


class TaggedAnswer:
    """Holds the head of an answer until its body is known; what comes in pieces goes out as it comes."""

    def __init__(self, asked: Headers, send: Send) -> None:
        self._asked = asked
        self._send = send
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start" and _may_be_tagged(message):
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            if not message.get("more_body", False):
                head, message = self._tagged(head, message)
            await self._send(head)
        await self._send(message)

    def _tagged(self, head: Message, body: Message) -> tuple[Message, Message]:
        tag = etag(body.get("body", b""))
        headers = MutableHeaders(raw=list(head["headers"]))
        headers["ETag"] = tag
        is_someones = "authorization" in self._asked
        headers.setdefault("Cache-Control", "private, no-cache" if is_someones else "no-cache")
        if not is_current(self._asked.get("if-none-match"), tag):
            return {**head, "headers": headers.raw}, body
        kept = [(name, value) for name, value in headers.raw if name.decode().lower() not in _NOT_OF_304]
        return {**head, "status": 304, "headers": kept}, {**body, "body": b""}


def _may_be_tagged(head: Message) -> bool:
    headers = Headers(raw=head["headers"])
    media_type = headers.get("content-type", "").partition(";")[0]
    return head["status"] == 200 and media_type == "application/json" and "etag" not in headers
