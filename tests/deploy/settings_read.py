"""Which environment variables the program reads: what is offered to people has to be one of them."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

import services

PROJECT = Path(__file__).resolve().parents[2]


@cache
def variables_read() -> frozenset[str]:
    """Every variable that a settings class of a service, or a look into `os.environ`, asks for."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        # Alembic runs its own door, and a `__main__` would start the service.
        if not module.name.endswith((".__main__", ".migrations.env")):
            importlib.import_module(module.name)
    declared = (name for settings in _settings(BaseSettings) for name in _names(settings))
    return frozenset((*declared, *_looked_up()))


def _settings(parent: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for child in parent.__subclasses__():
        if child.__module__.startswith("services."):
            yield child
        yield from _settings(child)


def _names(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        match field.validation_alias:
            case str() as alias:
                yield alias.upper()
            case AliasChoices(choices=choices):
                yield from (str(choice).upper() for choice in choices)
            case _:
                yield f"{prefix}{name}".upper()


def _looked_up() -> Iterator[str]:
    # By the words, not by the tree: Python 3.11 counts the depth of trees for all threads together, and raises
    # SystemError where another one makes objects meanwhile (python/cpython#106905).
    for folder in ("services", "deploy"):
        for path in (PROJECT / folder).rglob("*.py"):
            yield from re.findall(r"environ(?:\.get\(|\[)\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
