"""One asynchronous HTTP client for all webhooks: libcurl, driven by the event loop of this process.

A post costs some 40 µs of CPU here, a fifth of what aiohttp takes (`docs/decisions` has the figures), and libcurl
asks us for every socket, so no connection is opened to an address that was not looked at, whatever a name resolves to.
Redirects are never followed, content is never decoded, an answer is read to 64 KB and the whole exchange ends within
one deadline. What an exchange that has ended means, `transfers.py` says.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import certifi
import pycurl
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.notifier.channels.ssrf_guard import AllowList, normal_host
from services.notifier.transport.transfers import AnswerReader, Response, judge

_SUPPRESS_CONNECT_HEADERS = 265
"""libcurl's CURLOPT_SUPPRESS_CONNECT_HEADERS (since 7.54), for which pycurl has no name."""


class HttpClientSettings(BaseSettings):
    """How webhooks are posted."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_HTTP_")

    deadline: float = Field(default=15.0, gt=0, le=30)
    """Seconds from the name's look-up to the answer's last byte."""
    connect_deadline: float = Field(default=5.0, gt=0)
    """Seconds of it that looking up, connecting and TLS may take."""
    answer_bytes: int = Field(default=65_536, ge=0)
    """Read no more of an answer than this."""
    idle_connections: int = Field(default=256, ge=1)
    """Kept open for the next post, over all hosts."""
    proxy: str = ""
    """A proxy for all posts, `http://host:port`; the environment's `http_proxy` is not used. The operator's allow-list
    has to name it, and the addresses behind it are then the proxy's to judge."""
    ca_file: str = certifi.where()
    """Certificate authorities to trust, a PEM file."""


class _SharedSocket(socket.socket):
    """A socket of which libcurl's binding makes its own copy; ours is closed when nobody holds it any more."""

    def __del__(self) -> None:
        self.close()


@dataclass(slots=True, eq=False)
class _Exchange:
    """One easy handle and what it is at; used again for the next post."""

    curl: Any
    reader: AnswerReader
    answer: asyncio.Future[Response] | None = None
    host: str = ""
    blocked: bool = False


class HttpClient:
    """Posts; as many at once as its caller asks for, so the caller sets the bounds."""

    def __init__(self, settings: HttpClientSettings, allowed: AllowList) -> None:
        self._settings = settings
        self._allowed = allowed
        self._loop: Any = None  # an event loop from the first post on
        self._multi: Any = None
        self._timer: asyncio.Handle | None = None
        self._watched: dict[int, int] = {}
        self._idle: list[_Exchange] = []
        self._busy: dict[Any, _Exchange] = {}

    async def post(self, url: str, headers: Sequence[str], body: bytes, deadline: float | None = None) -> Response:
        """Post and wait for the answer; headers are whole lines, `name: value`.

        Raises `PostFailed`. `deadline` in seconds replaces that of the settings.
        """
        if self._multi is None:
            self._open()
        exchange = self._idle.pop() if self._idle else self._new_exchange()
        curl = exchange.curl
        exchange.host = normal_host(urlsplit(url).hostname or "")
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.HTTPHEADER, [*headers, "Expect:"])
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.TIMEOUT_MS, int((deadline or self._settings.deadline) * 1000))
        answer: asyncio.Future[Response] = self._loop.create_future()
        exchange.answer = answer
        self._busy[curl] = exchange
        self._multi.add_handle(curl)
        try:
            return await answer
        finally:
            # Cancelled: the connection's state is unknown, so it goes. Otherwise somebody else may have the handle.
            if exchange.answer is answer:
                del self._busy[curl]
                self._multi.remove_handle(curl)
                curl.close()

    async def close(self) -> None:
        """Drop all connections; posts that are under way fail as unanswered."""
        if self._multi is None:
            return
        for exchange in list(self._busy.values()):
            self._finish(exchange, pycurl.E_ABORTED_BY_CALLBACK)
        if self._timer:
            self._timer.cancel()
        for exchange in self._idle:
            exchange.curl.close()
        self._idle.clear()
        self._multi.close()
        for descriptor in list(self._watched):
            self._watch(pycurl.POLL_REMOVE, descriptor)
        self._multi = None

    def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._settings.idle_connections)

    def _new_exchange(self) -> _Exchange:
        curl = pycurl.Curl()
        exchange = _Exchange(curl, reader := AnswerReader(self._settings.answer_bytes))
        for option, value in (
            (pycurl.POST, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.PROXY, self._settings.proxy),  # empty: none, and the environment's is not used
            (_SUPPRESS_CONNECT_HEADERS, 1),  # a proxy's 200 to CONNECT is no receiver's word
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            (pycurl.USERAGENT, "Pledgewire/1 (+standard-webhooks)"),
            (pycurl.CONNECTTIMEOUT_MS, int(self._settings.connect_deadline * 1000)),
            (pycurl.TCP_NODELAY, 1),
            (pycurl.CAINFO, self._settings.ca_file),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
            (pycurl.HTTP_CONTENT_DECODING, 0),
            (pycurl.WRITEFUNCTION, reader.take_body),
            (pycurl.HEADERFUNCTION, reader.take_header),
        ):
            curl.setopt(option, value)

        def open_socket(purpose: int, address: Any) -> socket.socket | int:
            return self._open_socket(exchange, address)

        curl.setopt(pycurl.OPENSOCKETFUNCTION, open_socket)
        return exchange

    def _open_socket(self, exchange: _Exchange, address: Any) -> socket.socket | int:
        family, kind, protocol, where = address
        try:
            far = ipaddress.ip_address(str(where[0]).split("%")[0])
        except ValueError:
            far = None
        if far is None or not self._allowed.permits(far, exchange.host):
            exchange.blocked = True
            return int(pycurl.SOCKET_BAD)
        return _SharedSocket(family, kind, protocol)

    def _watch(self, what: int, descriptor: int, *_: Any) -> None:
        """libcurl says for what a socket is to be watched."""
        wanted = 0 if what == pycurl.POLL_REMOVE else what
        before = self._watched.get(descriptor, 0)
        if before & pycurl.POLL_IN and not wanted & pycurl.POLL_IN:
            self._loop.remove_reader(descriptor)
        if before & pycurl.POLL_OUT and not wanted & pycurl.POLL_OUT:
            self._loop.remove_writer(descriptor)
        if wanted & pycurl.POLL_IN and not before & pycurl.POLL_IN:
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        if wanted & pycurl.POLL_OUT and not before & pycurl.POLL_OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
        if wanted:
            self._watched[descriptor] = wanted
        else:
            self._watched.pop(descriptor, None)

    def _set_timer(self, milliseconds: int) -> None:
        """libcurl says when it wants to be called at the latest; it must not be called from in here."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if milliseconds == 0:
            self._timer = self._loop.call_soon(self._act, pycurl.SOCKET_TIMEOUT, 0)
        elif milliseconds > 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, events: int) -> None:
        if descriptor == pycurl.SOCKET_TIMEOUT:
            self._timer = None
        if self._multi is None:
            return
        self._multi.socket_action(descriptor, events)
        more = 1
        while more:
            more, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(self._busy[curl], None)
            for curl, error, _ in failed:  # the text may hold the host: it is not looked at
                self._finish(self._busy[curl], error)

    def _finish(self, exchange: _Exchange, error: int | None) -> None:
        curl, answer = exchange.curl, exchange.answer
        del self._busy[curl]
        self._multi.remove_handle(curl)
        sent = curl.getinfo(pycurl.REQUEST_SIZE) > 0
        result = judge(exchange.reader, error, sent=sent, blocked=exchange.blocked)
        exchange.reader.forget()
        exchange.blocked, exchange.answer = False, None
        self._idle.append(exchange)
        if answer is None or answer.done():
            return
        if isinstance(result, Response):
            answer.set_result(result)
        else:
            answer.set_exception(result)
