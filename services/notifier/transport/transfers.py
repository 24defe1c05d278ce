"""What a transfer that has ended was: an answer, or none. Pure: it reads header lines and judges by facts alone.

A receiver's word is its status line with the whole header section behind it (RFC 9112, 2.1: the section ends with an
empty line). What becomes of the body afterwards, cut, dripping, endless or broken, changes nothing of that word. Where
the section is not whole, the word is not known: `200` may have been the beginning of anything, and 1xx is no word at
all (RFC 9110, 15.2).
"""

from dataclasses import dataclass, field

import pycurl

from services.notifier.channels.outcomes import FailureReason

_TLS_FAULTS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
    }
)
_NAME_FAULTS = frozenset({pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY})
_HEADERS_KEPT = frozenset({b"retry-after", b"date"})
_FIRST_FINAL_STATUS = 200


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: its status, the few headers that mean something here (lower case), and the start of its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class PostFailed(Exception):
    """There is no answer. `sent` says whether the receiver may have got the request.

    Neither this nor its text holds any part of the URL.
    """

    def __init__(self, reason: FailureReason, *, sent: bool) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.sent = sent


@dataclass(slots=True)
class AnswerReader:
    """Takes what libcurl hands over, line by line and piece by piece; keeps `most` bytes of the body."""

    most: int
    status: int | None = None
    """That of the final header section, once its first line has come."""
    is_whole: bool = False
    """Whether the final header section has come whole."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def take_header(self, line: bytes) -> None:
        """One line of any header section: of an interim answer, of the final one, or of the trailers."""
        if self.is_whole:
            return  # trailers, behind a body in chunks
        if line in (b"\r\n", b"\n"):
            self.is_whole = self.status is not None
            return
        if line.startswith(b"HTTP/"):
            self.status, self.headers = _final_status(line), {}
            return
        name, colon, value = line.partition(b":")
        if colon and name.lower() in _HEADERS_KEPT:
            self.headers[name.decode().lower()] = value.strip().decode("latin-1")[:200]

    def take_body(self, data: bytes) -> int:
        """A piece of the body; gives what libcurl expects, or -1 to end the transfer."""
        left = self.most - len(self.body)
        self.body += data[:left]
        return len(data) if len(data) <= left else -1

    def forget(self) -> None:
        """Be ready for the next answer."""
        self.status, self.is_whole, self.headers, self.body = None, False, {}, bytearray()


def _final_status(line: bytes) -> int | None:
    """The status of a status line; None for an interim one, and for one that has no status."""
    digits = line.split(b" ", 2)[1][:3] if b" " in line else b""
    status = int(digits) if len(digits) == 3 and digits.isdigit() else 0
    return status if status >= _FIRST_FINAL_STATUS else None


def judge(answer: AnswerReader, error: int | None, *, sent: bool, blocked: bool) -> Response | PostFailed:
    """What a transfer that ended with libcurl's `error` (None: without one) was.

    `sent`: bytes of the request went out; `blocked`: a connection was not opened because of where it led.
    """
    if answer.is_whole and answer.status is not None:
        return Response(answer.status, answer.headers, bytes(answer.body))
    if blocked and not sent:
        return PostFailed(FailureReason.BLOCKED, sent=False)
    if error == pycurl.E_OPERATION_TIMEDOUT:
        return PostFailed(FailureReason.TIMEOUT, sent=sent)
    if error in _NAME_FAULTS:
        return PostFailed(FailureReason.NAME, sent=False)
    if error in _TLS_FAULTS:
        return PostFailed(FailureReason.TLS, sent=sent)
    return PostFailed(FailureReason.RESET if sent else FailureReason.CONNECTION, sent=sent)
