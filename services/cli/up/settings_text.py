"""Writes `pledgewire.toml`: every setting with what it means, and those that are not set as comments."""

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.cli.up.settings import SettingsSection, UpSettings

WIDTH = 100

HEAD = """\
# What is set for `pledgewire up`. A line that begins with # is a comment: take the # away to set something else than
# what stands there. `pledgewire up` reads the file when it starts.
"""


def settings_text(given: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole file; `given` are the values that are set, by section and name, and all others are comments."""
    parts = [HEAD]
    for name, field in UpSettings.model_fields.items():
        section = _section(field)
        if section is None:
            parts.append("\n".join([*_comment(field.description or ""), f"#[{name}]", ""]))
            continue
        values = given.get(name, {})
        parts.append("\n".join([*_comment(section.__doc__ or ""), f"[{name}]", *_lines(section, values), ""]))
    return "\n".join(parts)


def _section(field: FieldInfo) -> type[SettingsSection] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, SettingsSection) else None


def _lines(section: type[SettingsSection], values: Mapping[str, Any]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield from _comment(field.description or "")
        if name in values:
            yield f"{name} = {_toml(values[name])}"
        else:
            yield f"#{name} = {_toml(field.get_default(call_default_factory=True))}"


def _toml(value: Any) -> str:
    """A value as TOML writes it; a basic string there is escaped as in JSON."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + "}"
    # JSON leaves DEL as it is, and writes what is beyond the first plane as two halves, which TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(" ".join(text.split()), WIDTH)]
