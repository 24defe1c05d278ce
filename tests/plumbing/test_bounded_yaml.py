"""YAML from outside: what it may cost, counted and not timed."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.plumbing.bounded_yaml import DEEPEST, LONGEST_TEXT, MOST_NODES, YamlRefused, compose, load

SERVICES = Path(__file__).parents[2] / "services"
COSTLY = 120
"""Calls for each character: plain words take about 60, whatever they are."""


def calls_of(read: Callable[[str], Any], text: str) -> int:
    """How many functions are called to read a text: the same on every machine."""
    calls = 0

    def count(_: FrameType, event: str, __: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(text)
    except YamlRefused:
        pass
    finally:
        sys.setprofile(before)
    return calls


pieces = st.sampled_from([*"[]{}a#'", '"', "- ", "? ", ": ", ", ", "\n", "\n ", "&a ", "*a ", "|\n"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(pieces, st.integers(1, 300)), min_size=1, max_size=12))
def test_what_a_text_costs_grows_with_its_length_however_it_is_nested(written: list[tuple[str, int]]) -> None:
    text = "".join(piece * times for piece, times in written)[:3000]
    for read in (compose, load):
        assert calls_of(read, text) < 5_000 + COSTLY * len(text), text[:60]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65_536,
        "{" * 65_536,
        "[{" * 32_768,
        "- " * 32_768,
        "? " * 32_768,
        "a: [" * 16_000,
        "\n".join(" " * n + "-" for n in range(300)),
    ],
)
def test_65536_brackets_are_refused_by_a_look(text: str) -> None:
    for read in (compose, load):
        with pytest.raises(YamlRefused, match="deeply"):
            read(text)
        assert calls_of(read, text) < 40_000


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: &a [x]\nb: *a", "aliases"),
        ("a: &a [&b [&c [x,x],*c],*b]", "aliases"),
        ("a: {<<: *x}", "aliases"),
        ("x" * (LONGEST_TEXT + 1), "characters"),
        ("[" + "a," * MOST_NODES + "]", "words and lists"),
        ("a\n" * 3 + "b: [\x00]", "no YAML"),
        ("\ud800", "no YAML"),
        ("!!python/object/apply:os.system [ls]", None),
    ],
)
def test_what_is_more_than_we_read_is_refused_with_its_line(text: str, what: str | None) -> None:
    with pytest.raises(YamlRefused, match=what):
        load(text)


def test_what_is_within_the_bounds_is_read() -> None:
    assert load("[" * DEEPEST + "]" * DEEPEST) is not None
    assert load("a: 1\nb: [x, 'y']") == {"a": 1, "b": ["x", "y"]}
    assert compose("") is None
    with pytest.raises(YamlRefused, match="twice"):
        load("a: 1\na: 2")


def test_nobody_else_reads_yaml_from_outside() -> None:
    """The catalogue, which comes with the program, is the one exception."""
    readers = {
        str(path.relative_to(SERVICES))
        for path in SERVICES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("yaml", name) for name in ("load", "safe_load", "compose", "parse", "scan")}
    }
    assert readers == {"registry/catalogue/loading.py"}
