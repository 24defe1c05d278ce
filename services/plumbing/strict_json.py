"""JSON that can be read in one way only: the one parser for what comes from outside, over HTTP and over Kafka.

What other parsers would read differently is refused: a key twice (Python's takes the last), another encoding than
UTF-8, NaN and numbers beyond a double, half a surrogate pair, deep nesting. Sources: RFC 8259, 8.1 and 4; RFC 7493
(I-JSON), 2.1 to 2.3.
"""

import json
import math
import re
from typing import Any

from services.plumbing.sentences import Sentence

DEEPEST = 32
"""Levels of nesting."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
"""A string, or the rest of the text where it doesn't end: matched from every quote once, so in linear time."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonRefused(ValueError):
    """This is no JSON, or it could be read in two ways; `kind` says which, in a word that never changes."""

    def __init__(self, kind: str, what: Sentence) -> None:
        super().__init__(what)
        self.kind = kind


def is_utf8_by_sight(text: bytes) -> bool:
    """Whether a text of ASCII characters at its beginning could be UTF-8 without a byte order mark.

    UTF-16 and UTF-32 show themselves by a mark or by zeros among the first four bytes.
    """
    return json.detect_encoding(text) == "utf-8"


def read_json(text: bytes) -> Any:
    """The value; raises `JsonRefused`."""
    if not is_utf8_by_sight(text):
        raise JsonRefused("encoding", Sentence("JSON is UTF-8 without a byte order mark"))
    if _depth(text) > DEEPEST:
        raise JsonRefused("too-deep", Sentence("JSON may be nested at most %(deepest)s levels deep", deepest=DEEPEST))
    try:
        value = json.loads(
            text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_number
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except JsonRefused:
        raise
    except UnicodeEncodeError:
        raise JsonRefused("not-json", Sentence("half a surrogate pair is no character")) from None
    except (ValueError, RecursionError) as error:
        raise JsonRefused("not-json", _what_is_wrong(error)) from None
    return value


def _what_is_wrong(error: ValueError | RecursionError) -> Sentence:
    """Where it stops being JSON; what the parser says of it is English, and for nobody but us."""
    if isinstance(error, json.JSONDecodeError):
        return Sentence(
            "this is no JSON from line %(line)s, column %(column)s on", line=error.lineno, column=error.colno
        )
    return Sentence("this is no JSON")


def _depth(text: bytes) -> int:
    """The deepest nesting of brackets outside of strings, without a parser that could run out of stack."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[{\]}]", _STRING.sub(b"", text)):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("duplicate-key", Sentence("a JSON object has the same key twice"))
    return found


def _no_constant(name: str) -> Any:
    raise JsonRefused("not-json", Sentence("%(name)s is no JSON", name=name))


def _finite_number(written: str) -> float:
    if math.isinf(number := float(written)):
        raise JsonRefused("not-json", Sentence("a number is larger than any double"))
    return number
