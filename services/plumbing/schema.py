"""Whether a service's schema is as new as its code; one that is newer is fine, since versions run side by side."""

import ast
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from services.plumbing.database import Database
from services.plumbing.logs import log
from services.plumbing.retry import Backoff
from services.plumbing.transient_errors import is_transient

_HELP = "run `pledgewire db upgrade`"


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
        return f"the schema {schema} has no tables yet, this code needs revision {known[-1]}: {_HELP}"
    if found in known[:-1]:
        return f"the schema {schema} is at revision {found}, this code needs {known[-1]}: {_HELP}"
    return None


class SchemaGate:
    """Keeps a service from working on a schema that is older than its code."""

    def __init__(self, database: Database, versions: Path) -> None:
        """`versions` is the folder with the service's revisions."""
        self._database = database
        self._known = revisions(versions)

    async def check(self) -> str | None:
        """For `/readyz`: what is wrong with the schema; raises what the database raises."""
        async with self._database.connection() as connection:
            try:
                found = await connection.fetchval("select version_num from alembic_version", timeout=2)
            except asyncpg.UndefinedTableError:
                found = None
        return schema_fault(self._database.schema, found, self._known)

    async def wait(self) -> None:
        """Return once the schema is new enough; says so until then, again and again."""
        backoff, said_at = Backoff(longest=2.0), -60.0
        while True:
            try:
                fault = await self.check()
            except Exception as error:
                if not is_transient(error):
                    raise
                fault = f"the schema can't be looked at: {error!r}"
            if fault is None:
                return
            if time.monotonic() - said_at > 30:
                log.error("the service waits for its schema", action="schema_waits", reason=fault)
                said_at = time.monotonic()
            await backoff.wait()
