"""The receiver: answers 204 to every POST and notes when it came. As lean as Python allows, since it shares the cores.

Below /limit/5/ it takes five a second of each path, never two at once, and answers the others with 429 and
`Retry-After: 1`, as Slack does. GET /arrivals gives what was noted as lines `webhook-id seconds`, GET /refused the
times of what was turned away, GET /count the number of arrivals, DELETE / forgets all.
"""

import asyncio
import sys
import time

import uvloop

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"


class Sink(asyncio.Protocol):
    """One connection; requests may be pipelined, bodies need a Content-Length."""

    arrivals: list[tuple[bytes, float]] = []  # noqa: RUF012  shared by all connections on purpose

    refused: list[float] = []  # noqa: RUF012  likewise
    next_at: dict[bytes, float] = {}  # noqa: RUF012  by path, when it takes the next

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = _header(head, b"content-length")
            whole = end + 4 + int(length or 0)
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            self._transport.write(self._answer(head))  # type: ignore[attr-defined]

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"post /limit/") and not self._takes(head.split(b" ", 2)[1]):
            self.refused.append(time.time())
            return _TOO_MANY
        if head.startswith(b"post"):
            self.arrivals.append((_header(head, b"webhook-id"), time.time()))
            return _ANSWER
        if head.startswith(b"delete"):
            self.arrivals.clear()
            self.refused.clear()
            return _ANSWER
        if head.startswith(b"get /count"):
            body = b"%d" % len(self.arrivals)
        elif head.startswith(b"get /refused"):
            body = b"".join(b"%f\n" % at for at in self.refused)
        else:
            body = b"".join(b"%s %f\n" % arrival for arrival in self.arrivals)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def _takes(self, path: bytes) -> bool:
        """Whether a path's bucket, which holds one token, has it."""
        now = time.monotonic()
        if now < self.next_at.get(path, 0.0):
            return False
        self.next_at[path] = now + 1 / float(path.split(b"/")[2])
        return True


def _header(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
