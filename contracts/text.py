"""Which text may enter: the one rule for every field of HTTP and of the ingest topics, by Unicode's classes. Pure.

What is refused shows something else than it says, ends a line where none ends, or is in no document that others read.
Sources: the Unicode Standard, 23.7 (noncharacters) and 23.9 (tags); UAX #9 (explicit directional formatting); UAX #15
(form C); UAX #44, `Default_Ignorable_Code_Point`. Characters that this Python's Unicode does not know yet may enter: a
newer emoji is no fault, and two processes on two Pythons have to agree.
"""

import re
from ipaddress import IPv6Address
from unicodedata import category, normalize
from urllib.parse import urlsplit

from contracts.refusals import Unfit

MOST_MARKS = 8
"""Marks and characters that show nothing, in a row: Tibetan and pointed Hebrew need no more, piles of accents do."""

BYTES_EACH = 3
"""Bytes of UTF-8 for each character of a field's longest: every script of the living fits, thousands of emoji don't."""

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(f"{chr(p * 0x10000 + 0xFFFE)}{chr(p * 0x10000 + 0xFFFF)}" for p in range(17))
_BIDIRECTIONAL = "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides, isolates; the marks U+200E and U+200F stay
_DEPRECATED = "\u206a-\u206f\ufff9-\ufffb"  # formats that nobody shows, annotations that hide
_TAGS = "\U000e0000-\U000e007f"  # letters that nobody sees
_NEVER = _NONCHARACTERS + _BIDIRECTIONAL + _DEPRECATED + _TAGS + "\ud800-\udfff"
_BREAKS = "\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029"

UNFIT = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff{_NEVER}]")
"""What stands in no line; a byte order mark at its beginning is taken off."""
_UNFIT_IN_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff{_NEVER}]")
BREAKS = re.compile(f"[{_BREAKS}]+")
"""What ends a line, or may in somebody's program."""

_LONGEST_LABEL, _LONGEST_NAME = 63, 253
_DOTS = re.compile("[.\u3002]")  # form KC has no other that is read as one (UTS #46, 4)
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")

PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff]*$"
"""The same for JSON Schema, as far as its regular expressions can say it everywhere."""

# Letters and signs that are drawn as nothing, by their names fillers and blanks, and the box for what is not there.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U0001d159")
# Of Default_Ignorable_Code_Point what Unicode has not assigned yet: it will be drawn as nothing.
_UNASSIGNED_AND_UNSEEN = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")


def is_seen(text: str) -> bool:
    """Whether a reader sees anything: a letter, number, sign or punctuation mark, and no blank that counts as one."""
    return any(_is_drawn(c) for c in text)


def fit(text: str, most: int, *, lines: bool = False) -> str:
    """A text as it enters: in form C, without a byte order mark before it.

    `most` is its longest in characters; `lines` lets line ends and tabs stand. Raises ValueError that names the
    character that may not stand, or says what else is wrong; it never quotes the text.
    """
    text = normalize("NFC", text.removeprefix("\ufeff"))
    if wrong := (_UNFIT_IN_LINES if lines else UNFIT).search(text):
        raise Unfit("the character U+%(wrong)s may not stand in a text", wrong=format(ord(wrong[0]), "04X"))
    if len(text) > most or len(text.encode()) > BYTES_EACH * most:
        raise Unfit("at most %(most)s characters and %(value)s bytes of UTF-8", most=most, value=BYTES_EACH * most)
    if not is_seen(text):
        raise Unfit("there is nothing to be seen in it")
    if _longest_pile(text) > MOST_MARKS:
        raise Unfit("at most %(most_marks)s marks or unseen characters in a row", most_marks=MOST_MARKS)
    return text


def fit_link(url: str) -> str:
    """An address of others as it enters, unchanged; raises ValueError that never quotes it.

    It names a host that a browser would look up, on a port that there is, and no user: what stands before an `@` is
    read as the host (RFC 9110, 4.2.4).
    """
    if not url.isascii() and (wrong := next((c for c in url if category(c)[0] in "CZ"), None)):
        raise Unfit("the character U+%(wrong)s may not stand in an address", wrong=format(ord(wrong), "04X"))
    if any(c in url for c in '"<>\\^`{|}'):
        raise Unfit('none of "<>\\^`{|} may stand in an address (RFC 3986)')
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
    except ValueError:
        raise Unfit("the address can't be read") from None
    if not host or not is_seen(host.strip(".")) or "@" in parts.netloc:
        raise Unfit("an address names a host, and no user")
    if port == 0:
        raise Unfit("nothing listens on port 0")
    if not (_is_ipv6(host) if "[" in parts.netloc else _is_host(normalize("NFKC", host))):
        raise Unfit("this names no host that could be looked up")
    if _longest_pile(url) > MOST_MARKS:
        raise Unfit("at most %(most_marks)s marks in a row", most_marks=MOST_MARKS)
    return url


def _is_ipv6(host: str) -> bool:
    """Whether it is what may stand in brackets; a zone id means something on one machine only (RFC 6874)."""
    try:
        return "%" not in host and bool(IPv6Address(host))
    except ValueError:
        return False


def _is_host(host: str) -> bool:
    """Whether a host in form KC is a name that the DNS could have (RFC 1035, 2.3.4) or an IPv4 address.

    Percent-encoding is decoded by some and looked up by others; a name whose last label is a number is an IPv4 address
    to browsers (WHATWG URL, 3.5). Labels are measured as A-labels, of whatever Unicode: browsers look up emoji, too.
    """
    if "%" in host or any(category(c)[0] in "CZ" for c in host):
        return False
    labels = [_ascii_label(label) for label in _DOTS.split(host)]
    if len(labels) > 1 and labels[-1] == "":
        labels.pop()  # the root
    if any(label is None or not 1 <= len(label) <= _LONGEST_LABEL for label in labels):
        return False
    name = ".".join(label for label in labels if label)
    return bool(_IPV4.fullmatch(name)) if _NUMBER.fullmatch(labels[-1] or "") else len(name) <= _LONGEST_NAME


def _ascii_label(label: str) -> str | None:
    """A label as the DNS has it; None for what claims to be an A-label and is none."""
    if not label.isascii():
        return "xn--" + label.encode("punycode").decode()
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode().decode("punycode")
        return None if decoded.isascii() else label
    except ValueError:
        return None


def _is_drawn(c: str) -> bool:
    kind = category(c)
    if kind == "Cn":
        return not UNFIT.match(c) and not _UNASSIGNED_AND_UNSEEN.match(c)
    return kind[0] in "LNPS" and c not in _BLANK


def _longest_pile(text: str) -> int:
    """The most marks and unseen characters that follow each other; spaces are neither."""
    if text.isascii():
        return 0
    longest = pile = 0
    for c in text:
        kind = category(c)
        pile = pile + 1 if kind[0] == "M" or kind == "Cf" or c in _BLANK else 0
        longest = max(longest, pile)
    return longest
