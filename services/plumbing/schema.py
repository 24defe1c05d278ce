"""Whether a service's schema is as new as its code; one that is newer is fine, since versions run side by side."""

import ast
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from services.plumbing.database import Database
from services.plumbing.logs import log
from services.plumbing.retry import Backoff
from services.plumbing.transient_errors import is_transient

_HELP = "run `pledgewire db upgrade`, with DATABASE_URL as the user who owns the schemas"
SAID_EVERY = 30.0
"""Seconds between two lines of the log while a service waits."""


def revisions(versions: Path) -> list[str]:
    """The revisions that lie in a folder, the oldest first; each follows the one before.

    Read from the files' text: a service that only looks whether its schema is there need not load Alembic, which takes
    a second and 25 MB.
    """
    following: dict[object, str] = {}
    for path in versions.glob("*.py"):
        said = {
            target.id: node.value.value
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if "revision" in said:
            following[said["down_revision"]] = str(said["revision"])
    ordered: list[str] = []
    while (name := following.get(ordered[-1] if ordered else None)) is not None:
        ordered.append(name)
    return ordered


def schema_fault(schema: str, found: str | None, known: Sequence[str]) -> str | None:
    """What is wrong with a schema at the revision `found`, None for one without; `known` are the code's, oldest first.

    A revision that the code doesn't know is a newer one.
    """
    if found is None:
        return f"the schema {schema} has no tables yet, this code needs revision {known[-1]}"
    if found in known[:-1]:
        return f"the schema {schema} is at revision {found}, this code needs {known[-1]}"
    return None


class SchemaGate:
    """Keeps a service from working on a schema that is older than its code."""

    def __init__(self, database: Database, versions: Path) -> None:
        """`versions` is the folder with the service's revisions."""
        self._database = database
        self._known = revisions(versions)
        self._found: str | None = None

    async def check(self) -> str | None:
        """For `/readyz`: what is wrong with the schema and what helps; raises what the database raises."""
        fault = await self._fault()
        return f"{fault}: {_HELP}" if fault else None

    def describe(self) -> dict[str, str | None]:
        """For `/readyz`: the revision that was found last, and the one that this code needs."""
        return {"found": self._found, "needs": self._known[-1]}

    async def wait(self) -> None:
        """Return once the schema is new enough; until then says so in two lines at first, and in the log again."""
        backoff, said_at = Backoff(longest=2.0), -math.inf
        while True:
            try:
                fault = await self._fault()
            except Exception as error:
                if not is_transient(error):
                    raise
                fault = f"the schema can't be looked at: {error!r}"
            if fault is None:
                return
            if time.monotonic() - said_at > SAID_EVERY:
                if said_at == -math.inf:
                    print(f"error: {fault}\nhelp: {_HELP}; it goes on by itself then", file=sys.stderr)  # noqa: T201  for who starts it by hand
                log.error("the service waits for its schema", action="schema_waits", reason=fault, help=_HELP)
                said_at = time.monotonic()
            await backoff.wait()

    async def _fault(self) -> str | None:
        async with self._database.connection() as connection:
            try:
                self._found = await connection.fetchval("select version_num from alembic_version", timeout=2)
            except asyncpg.UndefinedTableError:
                self._found = None
        return schema_fault(self._database.schema, self._found, self._known)
