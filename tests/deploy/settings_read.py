"""Which environment variables the program reads: what is offered to people has to be one of them."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

import services

PROJECT = Path(__file__).resolve().parents[2]


def variables_read() -> set[str]:
    """Every variable that a settings class of a service, or a look into `os.environ`, asks for."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        # Alembic runs its own door, and a `__main__` would start the service.
        if not module.name.endswith((".__main__", ".migrations.env")):
            importlib.import_module(module.name)
    return {name for settings in _settings(BaseSettings) for name in _names(settings)} | set(_looked_up())


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
    for folder in ("services", "deploy"):
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case (
                        ast.Call(
                            func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"),
                            args=[ast.Constant(value=str() as name), *_],
                        )
                        | ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str() as name))
                    ):
                        yield name
