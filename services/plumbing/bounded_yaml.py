"""YAML from outside, read under bounds: the one way for a body, a command's file or an operator's setting.

PyYAML's time grows with the square of the nesting, and its stack with the depth; an alias can be written small and read
huge. So what is long or deep is refused before PyYAML sees it, and it stops at the first node too many. Pure: a large
text still takes some tenths of a second, so whoever serves others meanwhile reads in a thread.
"""

import re
from typing import Any

import yaml

from services.plumbing.sentences import Sentence

LONGEST_TEXT = 64 * 1024
"""Characters."""

DEEPEST = 32
"""Levels of nesting."""

MOST_NODES = 10_000
"""Words, lists and mappings."""

_BRACKET = re.compile(r"[\[{\]}]")


class YamlRefused(ValueError):
    """This is no YAML, or more than we read; `line` counts from 1."""

    def __init__(self, line: int, what: Sentence) -> None:
        super().__init__(Sentence("line %(line)s: %(what)s", line=line, what=what))
        self.line, self.what = line, what


class _Bounds(yaml.parser.Parser):
    """Counts what the parser finds, as it finds it."""

    _depth = 0
    _nodes = 0

    def get_event(self) -> Any:
        event = super().get_event()  # type: ignore[no-untyped-call]  # PyYAML has no types for it
        if isinstance(event, yaml.AliasEvent):
            raise YamlRefused(line_of(event.start_mark), Sentence("aliases (`*name`) are not used here"))
        if isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent):
            self._nodes += 1
            if self._nodes > MOST_NODES:
                told = Sentence("there are at most %(most)s words and lists here", most=MOST_NODES)
                raise YamlRefused(line_of(event.start_mark), told)
            if isinstance(event, yaml.CollectionStartEvent):
                self._depth += 1
                if self._depth > DEEPEST:
                    raise YamlRefused(line_of(event.start_mark), Sentence("this is nested too deeply"))
        return event


class _WordLoader(_Bounds, yaml.BaseLoader):
    """Every scalar as the words that stand there."""


class _ValueLoader(_Bounds, yaml.SafeLoader):
    """YAML's own types; a key that is written twice is a slip, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the safe loader has it, each key once."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise YamlRefused(line_of(node.start_mark), Sentence("%(name)s stands here twice", name=repr(twice.pop())))
        return super().construct_mapping(node, deep)


def compose(text: str) -> yaml.Node | None:
    """The nodes of a text, all scalars as words; None for an empty one. Raises `YamlRefused`."""
    loader = _open(_WordLoader, text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None
    return node


def load(text: str) -> Any:
    """The value of a text, in YAML's own types. Raises `YamlRefused`."""
    loader = _open(_ValueLoader, text)
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None


def line_of(mark: Any) -> int:
    """The line of one of PyYAML's marks, from 1."""
    return int(mark.line) + 1 if mark else 1


def _open(loader: Any, text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise YamlRefused(1, Sentence("there are at most %(most)s characters here", most=LONGEST_TEXT))
    depth = 0
    for bracket in _BRACKET.finditer(text):  # those in strings count too: nobody's words hold 32 of them unclosed
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            raise YamlRefused(text.count("\n", 0, bracket.start()) + 1, Sentence("this is nested too deeply"))
    try:
        return loader(text)
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None


def _no_yaml(error: yaml.YAMLError) -> YamlRefused:
    what = getattr(error, "problem", None) or str(error)
    return YamlRefused(line_of(getattr(error, "problem_mark", None)), Sentence("this is no YAML: %(what)s", what=what))
