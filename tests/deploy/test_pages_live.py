"""The pages are followed: every shell block for readers is run as it stands, on a stack that is up.

Left out is what needs Docker or kcat, which not every machine has: those lines are judged in `test_compose` and
`test_page_examples`. So is what starts another stack, which stays up, what is done while nothing runs, what sets
passwords that an instance keeps itself, and what names a record that isn't there: `test_every_block` says who runs it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.running_stack import RunningStack
from tests.deploy.pages import Block, blocks
from tests.deploy.settings_read import PROJECT
from tests.journeys.operating import without_instance
from tests.journeys.starting import instance_of, prepared

PAGES = ("for-operators", "for-ministries", "for-engineers", "how-to/change-a-ladder")
"""In this order: the operator imports the statement that the others read of."""
NOW = datetime(2022, 2, 1, 18, tzinfo=UTC)
"""When the pages are read: something is overdue, and nobody is on it."""
LEFT_OUT = re.compile(
    r"^\s*(docker|kcat|export DATABASE_PASSWORD_MIGRATOR=\S+"
    r"|\./pledgewire (stack|db downgrade|embedded upgrade-postgres|dead-letters show)) ",
    re.MULTILINE,
)
RECEIVER = "https://hooks.gac.example/pledgewire"
PRELUDE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; echo; }
./pledgewire() { "$PYTHON" -P -m services.cli.main "$@"; }
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="the pages are for bash and curl"),
]


def followed() -> Iterator[Block]:
    """The blocks of the pages for readers that can be run one after the other on a stack that is up."""
    for page in PAGES:
        for block in blocks("sh", PROJECT / "docs" / f"{page}.md"):
            if not LEFT_OUT.search(block.text):
                yield block


def follow(block: Block, folder: Path, environment: Mapping[str, str], hook: str = RECEIVER) -> str:
    """Run a block in a folder and return what it prints.

    The addresses and the key that it sets give way to the stack's, and the receiver of webhooks to one that listens.
    """
    text = re.sub(r"^export [A-Z]+_(URL|KEY)=.*$", "", block.text.replace(RECEIVER, hook), flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-c", PRELUDE + text],
        cwd=folder,
        env=without_instance() | environment | {"PYTHON": sys.executable, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{block.page.name}:\n{block.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def subscription_made(block: Block, printed: str) -> str | None:
    """The id of the subscription that a block has made, None where it has made none."""
    made = re.search(r'"id":"([0-9a-f-]{36})"', printed)
    return made[1] if made and re.search(r'"\$NOTIFIER_URL/subscriptions" .* -d ', block.text) else None


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with prepared(tmp_path_factory.mktemp("pages")) as started:
        yield started


async def test_whoever_follows_the_pages_gets_there(parts: RunningStack, tmp_path: Path) -> None:
    """
    From an empty stack, each block ends well, from the first page's first to the last page's last; and who subscribed
    on one line gets what was reported on another.
    """
    printed: dict[str, str] = {}
    # Who reads stands in a checkout; what the pages write must not come into ours.
    shutil.copytree(PROJECT / "contracts" / "examples", tmp_path / "contracts" / "examples")
    async with instance_of(parts) as instance:
        await instance.at(NOW)
        notifier = parts.fleet.members["notifier"].environment
        environment = instance.stack.environment() | {
            **{f"{name.upper()}_URL": instance.url(name) for name in ("registry", "scheduler", "notifier")},
            "PLEDGEWIRE_KEY": instance.key,
            **{name: notifier[name] for name in ("NOTIFIER_LINK_KEYS", "SECRETS_KEY_FILE")},
            "ACCESS_FILE": parts.environment["ACCESS_FILE"],  # or the project's own would be changed
        }
        for block in followed():
            printed[block.text] = follow(block, tmp_path, environment, f"{instance.inbox_url}/hooks/webhook/gac")
            if made := subscription_made(block, printed[block.text]):
                environment["SUBSCRIPTION"] = made
            if shown := re.search(r'"secret":"(whsec_[^"]+)"', printed[block.text]):
                await instance.http.put(f"{instance.inbox_url}/dev/inbox/secrets/gac", json={"secret": shown[1]})
            await instance.rest()
        await instance.assert_nothing_lost()
        await instance.expect_event("gac", "status-changed", "nals-2021-vaccine-donations", status="in-progress")

    assert len(printed) > 10
    (escalations,) = [text for block, text in printed.items() if "escalation list" in block]
    assert "Ana Ruiz, SRE" in escalations
