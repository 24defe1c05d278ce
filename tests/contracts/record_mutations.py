"""Hypothesis strategies for records that somebody has spoiled: in their bytes, their JSON or their envelope."""

import base64
import copy
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.contracts.golden_records import Wire, structured

ODD_TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "\ufeff",
        "\u202egnp.exe",
        "\u200b",
        "e" + "\u0301" * 50,
    ),
    *("\ud800", "\udfff\ud800", "\uffff", "\U0010ffff", "%s%n", "'; drop table inbox; --", "../../etc/passwd", "{}"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2022-02-30", "2022-03-20T24:00:00Z", "NaN"),
    *("2099-01-01T00:00:00Z", "2022-03-20", "2022-03-20T12:00:00", "MX", "XX", "met", "Met", "a" * 70_000),
)
ODD_NUMBERS = (0, -1, 1.0, 1.5, 2**31, 2**53, 2**63, 2**64, 10**400, 1e308, float("nan"), float("inf"), -float("inf"))
ODD_VALUES = (None, True, False, [], {}, [[]], {"": None}, {"a": {"a": {"a": []}}}, [None] * 1000)
odd = st.sampled_from((*ODD_TEXTS, *ODD_NUMBERS, *ODD_VALUES)) | st.text(max_size=20) | st.integers() | st.floats()
AS_WRITTEN = (b"1e400", b"9" * 5000, b"-0", b"00", b"0x1", b"NaN", b'"\\ud800"', b'"\\u0000"', b'"\xff"', b"'a'", b"")
"""What JSON can't say, or says in a way that parsers differ about; it takes the place of a value."""


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for name, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _places(child, (*path, name))


def _at(node: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        node = node[name]
    return node


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


_HOLE = "here-goes-something-else"


@st.composite
def _other_json(draw: st.DrawFn, record: Wire) -> Wire:
    """A value that is replaced, left out, given twice, renamed, nested or joined by another."""
    value = {"root": json.loads(record.value or b"null")}
    paths = list(_places(value))[1:]
    path = draw(st.sampled_from(paths))
    node, name = _at(value, path[:-1]), path[-1]
    match draw(st.sampled_from(["other", "as written", "left out", "twice", "renamed", "nested", "more"])):
        case "other":
            node[name] = draw(odd)
        case "as written":
            node[name] = _HOLE
            text = _written(value["root"]).replace(_written(_HOLE), draw(st.sampled_from(AS_WRITTEN)), 1)
            return replace(record, value=text)
        case "left out":
            del node[name]
        case "twice":
            if isinstance(name, str) and name != "root":
                again = copy.deepcopy(node[name]) if draw(st.booleans()) else draw(odd)
                node[_HOLE] = again
                return replace(record, value=_written(value["root"]).replace(_HOLE.encode(), name.encode(), 1))
            node[name] = [node[name], node[name]]
        case "renamed":
            if isinstance(node, dict):
                node[draw(st.sampled_from(["", name.upper(), f"{name} ", f"{name}\u0000", "__class__"]))] = node.pop(
                    name
                )
        case "nested":
            node[name] = _HOLE
            deep = draw(st.sampled_from([33, 2_000, 100_000]))
            opening, closing = draw(st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]))
            whole = _written(value["root"])
            return replace(record, value=whole.replace(_written(_HOLE), opening * deep + b"1" + closing * deep, 1))
        case _:
            target = _at(value, path)
            (target if isinstance(target, dict) else value["root"] if isinstance(value["root"], dict) else {})[
                draw(st.sampled_from(["of_a_later_release", "ministry", "id", "party\u0000", "\ud800"]))
            ] = draw(odd)
    return replace(record, value=_written(value.get("root")))


@st.composite
def _other_bytes(draw: st.DrawFn, record: Wire) -> Wire:
    """Bytes that are cut, changed, doubled, of another encoding, packed or anything at all."""
    value = record.value or b""
    at = draw(st.integers(0, len(value)))
    match draw(
        st.sampled_from(["cut", "patched", "doubled", "encoded", "packed", "nothing", "any", "after", "padded"])
    ):
        case "cut":
            value = value[:at]
        case "patched":
            value = value[:at] + draw(st.binary(min_size=1, max_size=4)) + value[at + draw(st.integers(0, 4)) :]
        case "doubled":
            value = value[:at] + value[: draw(st.integers(0, len(value)))] + value[at:]
        case "encoded":
            encoding = draw(st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "utf-7"]))
            value = value.decode().encode(encoding, "replace")
        case "packed":
            value = gzip.compress(value, mtime=0)
        case "nothing":
            return replace(record, value=draw(st.sampled_from([None, b"", b"null", b"[]", b'""', b"0"])))
        case "any":
            value = draw(st.binary(max_size=60))
        case "after":
            value += draw(st.sampled_from([b" ", b"\n", b"\x00", b"{}", b"//", b"," * 1000]))
        case _:
            value = b" " * draw(st.sampled_from([1, 10_000, 900_000])) + value
    return replace(record, value=value)


_HEADERS = (
    *(b"", b"\x00", b"\xff\xfe", b"1.0", b"9", b" ", b"null", b"2022-03-20", b"0001-01-01T00:00:00+14:00", b"\xf0\x9f"),
    *(b"9999-12-31T24:00:00Z", b"2099-01-01T00:00:00Z", b"1647864000", b"x" * 300, b"x" * 60_000, b"\x1b[31m\n\r"),
    *(b"{00000000-0000-0000-0000-000000000000}", b"00000000000000000000000000000000", b"no-uuid", b"/pledgewire/other"),
    *(b"text/plain", b"application/json; charset=utf-16", b"application/cloudevents+json", b"application/json;" * 9),
    *(b"application/cloudevents-batch+json", b"application/json; charset", b"org.pledgewire.status-changed.v1"),
)
_NAMES = ("ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_subject", "ce_partitionkey", "content-type")


@st.composite
def _other_envelope(draw: st.DrawFn, record: Wire) -> Wire:
    """A header that is left out, empty, repeated, spoiled or large; another key; more headers than anybody reads."""
    headers = list(record.headers)
    name = draw(st.sampled_from([*_NAMES, "ce_correlationid", "ce_traceparent", "ce_dataschema", "ce_data", "CE_ID"]))
    content = draw(st.none() | st.sampled_from(_HEADERS) | st.binary(max_size=40))
    match draw(st.sampled_from(["left out", "other", "twice", "foreign", "many", "key"])):
        case "left out":
            headers = [one for one in headers if one[0] != name]
        case "other":
            headers = [*(one for one in headers if one[0] != name), (name, content)]
        case "twice":
            headers.append((draw(st.sampled_from([name, name.upper(), name.title()])), content))
        case "foreign":
            foreign = ["", "reply_to", "dead_reason", "traceparent", "ce_", "ce_\u00e9", "x" * 2000, "content_type"]
            headers.append((draw(st.sampled_from(foreign)), content))
        case "many":
            headers += [(f"x-{number}", b"y" * 100) for number in range(draw(st.sampled_from([100, 5000])))]
        case _:
            return replace(record, key=draw(st.none() | st.sampled_from(_HEADERS) | st.binary(max_size=40)))
    return replace(record, headers=headers)


@st.composite
def _in_structured_mode(draw: st.DrawFn, record: Wire) -> Wire:
    """The envelope within the value, and something wrong with it; its data may be in base64."""
    made = structured(record)
    if draw(st.booleans()):
        return draw(_other_json(made) | _other_bytes(made) | _other_envelope(made))
    whole = json.loads(made.value or b"{}")
    data = draw(st.sampled_from([record.value or b"", b"", b"\xff", b"null", b"{}"]))
    packed = base64.b64encode(data).decode()
    whole["data_base64"] = draw(
        st.sampled_from([packed, packed[:-1], packed.replace("e", "-"), "\u00e9", 5, None, [packed]])
    )
    if draw(st.booleans()):
        del whole["data"]
    return replace(made, value=json.dumps(whole).encode())


_MUTATIONS: tuple[Callable[[Wire], st.SearchStrategy[Wire]], ...] = (
    _other_json,
    _other_bytes,
    _other_envelope,
    _in_structured_mode,
)


@st.composite
def _spoiled(draw: st.DrawFn, record: Wire) -> Wire:
    try:
        made = draw(draw(st.sampled_from(_MUTATIONS))(record))
        if draw(st.integers(0, 3)) == 0:  # twice, now and then
            made = draw(draw(st.sampled_from([_other_bytes, _other_envelope]))(made))
    except (UnicodeError, RecursionError):
        return replace(record, value=b"\xff")
    return made


def spoiled(record: Wire) -> st.SearchStrategy[Wire]:
    """Strategy for a record that was good, as somebody's slip, bug or malice might make it; some are still good."""
    return _spoiled(record)
