"""One entry, put into the file's text or taken out of it; every other line stays as it is. Pure."""

from collections.abc import Iterator, Sequence
from typing import Literal

import yaml

from services.cli.access.document import Entry, MinistryEntry, Quota
from services.cli.yaml_files import YamlFileError
from services.plumbing.bounded_yaml import compose

Section = Literal["ministries", "operators"]


def with_entry(text: str, section: Section, name: str, entry: MinistryEntry | Entry) -> str:
    """The text with this entry, in place of an older one; raises `YamlFileError` where it can't be put in."""
    return _changed(text, section, name, _lines_of(name, entry))


def without_entry(text: str, section: Section, name: str) -> str:
    """The text without the entry; the same text where it has none. Raises `YamlFileError`."""
    return _changed(text, section, name, [])


def _changed(text: str, section: Section, name: str, entry: Sequence[str]) -> str:
    lines = text.splitlines()
    found = _section(text, section)
    if found is None:
        return _joined([*lines, f"{section}:", *entry]) if entry else text
    head, there = found
    if not isinstance(there, yaml.MappingNode) or not (entries := there.value):  # `ministries: {}`
        return _joined([*lines[:head], f"{section}:", *entry, *lines[head + 1 :]]) if entry else text
    if there.flow_style:
        raise YamlFileError(f"line {head + 1}: the {section} stand in braces; write one below the other")
    for key, value in entries:
        if key.value == name:
            first, behind = key.start_mark.line, _last_line(value) + 1
            if len(entries) == 1 and not entry:
                lines[head] = f"{section}: {{}}"
            return _joined([*lines[:first], *entry, *lines[behind:]])
    behind = max(_last_line(value) for _, value in entries) + 1
    return _joined([*lines[:behind], *entry, *lines[behind:]]) if entry else text


def _section(text: str, section: Section) -> tuple[int, yaml.Node] | None:
    """The line, from 0, where a section begins, and what stands there."""
    root = compose(text)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next(((key.start_mark.line, value) for key, value in pairs if key.value == section), None)


def _last_line(node: yaml.Node) -> int:
    """The line of a node's last word: where a block ends by its indentation, its own mark stands far below."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.line)
    return max(_last_line(one) for one in _below(node))


def _below(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    for one in node.value:
        yield from one if isinstance(one, tuple) else (one,)


def _lines_of(name: str, entry: MinistryEntry | Entry) -> list[str]:
    inside = []
    if isinstance(entry, MinistryEntry):
        inside += [f"    read: [{', '.join(entry.read)}]"] if entry.read else []
        inside += ["    report: true"] if entry.report else []
    if entry.quota and (quota := _quota_lines(entry.quota)):
        inside += ["    quota:", *quota]
    return [f"  {name}:", *inside] if inside else [f"  {name}: {{}}"]


def _quota_lines(quota: Quota) -> list[str]:
    return [f"      {name}: {value}" for name, value in quota.model_dump().items() if value is not None]


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
