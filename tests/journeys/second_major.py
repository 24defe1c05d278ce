"""A release that does not exist: today's code with a second major version of `status-changed`, in a folder of its own.

It is made by what the product offers for this, and by nothing else: a model, a card, and a word on the card of before.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from services.cli.fleet import PROJECT

SINCE, SUNSET = "2026-12-01", "2028-06-30"
V1, V2 = "status-changed", "status-changed.v2"

_MODEL = '''class StatusMoved(Contract):
    """A commitment's status has changed, for one party: both sides of it together."""

    seq: Seq
    cause: Cause
    commitment: CommitmentBrief
    party: PartyCode
    statuses: tuple[Status, Status]
    """Before and after."""
    overall: Status
    reported_by: Reporter
    reported_at: Instant


def status_moved(event: StatusChanged) -> StatusMoved:
    """The same event as its second major version says it."""
    said = {name: getattr(event, name) for name in StatusMoved.model_fields if name != "statuses"}
    return StatusMoved(**said, statuses=(event.previous, event.status))


'''

_TOPIC = f'''STATUS_MOVED = Topic(
    name="{V2}",
    purpose="A commitment's status has changed, for one party: both sides of it together.",
    event=events.StatusMoved,
    version=2,
    made_by=events.status_moved,
    writers=("registry",),
    readers=("ministries",),
    retention_ms=-1,
)
'''

_CHANGES = {
    "contracts/events.py": [("class SettledDelivery(Contract):\n", _MODEL + "class SettledDelivery(Contract):\n")],
    "contracts/topics.py": [
        (
            "    event=events.StatusChanged,\n",
            "    event=events.StatusChanged,\n"
            f'    superseded=Superseded("{V2}", date.fromisoformat("{SINCE}"), date.fromisoformat("{SUNSET}")),\n',
        ),
        ("CONSISTENCY_FLAGGED = Topic(\n", _TOPIC + "CONSISTENCY_FLAGGED = Topic(\n"),
        ("PUBLIC = (\n", "PUBLIC = (\n    STATUS_MOVED,\n"),
    ],
}


def second_major(folder: Path) -> Path:
    """Its code, in this folder, with what is generated from it."""
    for part in ("contracts", "services", "deploy"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for path, changes in _CHANGES.items():
        text = (folder / path).read_text(encoding="utf-8")
        for today, later in changes:
            if text.count(today) < 1:
                raise ValueError(f"{path} has no {today!r} any more: write the change anew")
            text = text.replace(today, later, 1)
        (folder / path).write_text(text, encoding="utf-8")
    generate = [sys.executable, "-P", "-m", "contracts.generate"]
    subprocess.run(generate, cwd=folder, env={"PYTHONPATH": str(folder)}, check=True, capture_output=True)
    return folder
