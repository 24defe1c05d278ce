"""A release that does not exist yet: today's code with a field, a word and a column more, in a folder of its own.

It stands in for the next one as long as there is no other that was released.
"""

import re
import shutil
from pathlib import Path

from services.cli.fleet import PROJECT
from services.plumbing.schema import revisions

WORD = "paused"
"""A status that only it knows."""
FIELD = "confidence"
"""What its commitments and its news of statuses have beside today's fields."""

_CHANGES = {
    "contracts/vocabulary.py": (
        '    WITHDRAWN = "withdrawn"\n',
        '    WITHDRAWN = "withdrawn"\n    PAUSED = "paused"\n',
    ),
    "contracts/commitments.py": (
        "    statement_id: Slug\n",
        '    statement_id: Slug\n    confidence: Line | None = "high"\n    """How sure we are."""\n',
    ),
    "contracts/events.py": (
        "    overall: Status\n",
        '    overall: Status\n    confidence: Line | None = "high"\n    """How sure we are."""\n',
    ),
    "services/registry/rules/status_table.py": (
        "zip(_COLUMNS, row, strict=True)\n}\n",
        "zip(_COLUMNS, row, strict=False)\n}\n"
        "MOVES |= {(before, Status.PAUSED): _ANYBODY for before in Status}\n"
        "MOVES |= {(Status.PAUSED, after): _ANYBODY for after in Status}\n",
    ),
    "services/i18n/names.py": (
        '    Status.WITHDRAWN: N_("withdrawn"),\n',
        '    Status.WITHDRAWN: N_("withdrawn"),\n    Status.PAUSED: "paused",\n',
    ),
    "services/registry/store/commitments.py": (
        "    c.id, c.statement_id, ",
        "    c.id, c.statement_id, c.confidence, ",
    ),
}

_MIGRATION = '''"""A column more."""

from services.plumbing.migrations import run_sql

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    run_sql("alter table commitment add column confidence text default 'high'")


def downgrade() -> None:
    run_sql("alter table commitment drop column confidence")
'''


def later_release(folder: Path) -> Path:
    """Its code, in this folder."""
    for part in ("contracts", "services", "deploy"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for path, (today, later) in _CHANGES.items():
        text = (folder / path).read_text(encoding="utf-8")
        if text.count(today) < 1:
            raise ValueError(f"{path} has no {today!r} any more: write the change anew")
        (folder / path).write_text(text.replace(today, later, 1), encoding="utf-8")
    versions = folder / "services" / "registry" / "migrations" / "versions"
    before = revisions(versions)[-1]
    revision = f"{int(before) + 1:04}"
    (versions / f"{revision}_later.py").write_text(_MIGRATION.format(revision=revision, before=before))
    assert re.fullmatch(r"\d{4}", revision)
    return folder
