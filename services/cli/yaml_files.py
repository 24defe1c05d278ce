"""A file that an operator keeps in YAML, read strictly as a model: what is wrong is told by its line and place."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from services.plumbing.bounded_yaml import YamlRefused, compose, line_of, load

Document = TypeVar("Document", bound=BaseModel)

_MOST_FAULTS_TOLD = 3


class YamlFileError(ValueError):
    """The file says nothing that can be applied; the text says where and why, on one line."""


def read_yaml_file(path: Path, model: type[Document]) -> Document:
    """What a file says; raises `YamlFileError`."""
    try:
        return document_from(path.read_text(encoding="utf-8"), str(path), model)
    except OSError as error:
        raise YamlFileError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise YamlFileError(f"{path} is no text in UTF-8") from error


def document_from(text: str, name: str, model: type[Document]) -> Document:
    """What a text says; `name` is for errors. Raises `YamlFileError`."""
    try:
        root, loaded = compose(text), load(text)
    except YamlRefused as error:
        raise YamlFileError(f"{name}, {error}") from error
    if not isinstance(loaded, dict):
        raise YamlFileError(f"{name}: here stand {', '.join(f'`{field}`' for field in model.model_fields)}")
    try:
        return model.model_validate_json(json.dumps(loaded))
    except ValidationError as error:
        told = error.errors()[:_MOST_FAULTS_TOLD]
        faults = "; ".join(f"line {_line(root, fault['loc'])}: {_fault(fault)}" for fault in told)
        raise YamlFileError(f"{name}, {faults}") from error
    except (TypeError, ValueError) as error:  # a day, say, which JSON has not
        raise YamlFileError(f"{name}: {' '.join(str(error).split())}") from error


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"] if part != "[key]")
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}".removeprefix(": ")


def _line(root: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """The line where the thing at this place begins, or the nearest that is there."""
    node, line = root, 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = line_of(found[0][0].start_mark), found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = line_of(node.start_mark)
    return line
