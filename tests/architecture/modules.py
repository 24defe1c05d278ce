"""What the tests of the architecture look at: the program's modules, and its import contracts."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = ("contracts", "services", "deploy")


@cache
def modules() -> dict[str, Path]:
    """Every module of the program by its name; packages stand by their `__init__.py`. Alembic's revisions are data."""
    found = {}
    for root in ROOTS:
        for path in sorted((PROJECT / root).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            if "versions" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def packages() -> set[str]:
    """The modules that are folders."""
    return {name for name, path in modules().items() if path.name == "__init__.py"}


@cache
def import_contracts() -> list[dict[str, Any]]:
    """The contracts of import-linter, as pyproject.toml has them."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def named_by(expression: str, name: str) -> bool:
    """Whether an expression of import-linter names this module or a package that it lies in."""
    pattern = re.escape(expression).replace(r"\*\*", r"\w+(?:\.\w+)*").replace(r"\*", r"\w+")
    return re.match(rf"{pattern}(\.|$)", name) is not None
