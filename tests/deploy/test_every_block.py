"""Every shell block of the pages is run by a test, or a test says what judges it where its tools are not everywhere."""

import re
from dataclasses import dataclass

import pytest

from tests.deploy.pages import Block, blocks
from tests.deploy.settings_read import PROJECT
from tests.deploy.test_pages_live import followed


@dataclass(frozen=True)
class Run:
    """What runs a block, or judges it: a test module, and why not here where it isn't run as it stands."""

    by: str
    why: str = ""


ELSEWHERE = {
    ("README.md", "./pledgewire demo"): Run(
        "tests/deploy/test_pages_on_instances.py", "`./pledgewire test` would run itself: tests/cli/test_testing.py"
    ),
    ("README.md", "./pledgewire status"): Run("tests/deploy/test_pages_on_instances.py"),
    ("one-machine.md", "./pledgewire init --yes"): Run("tests/deploy/test_pages_on_instances.py"),
    ("one-machine.md", "./pledgewire status"): Run("tests/deploy/test_pages_on_instances.py"),
    ("one-machine.md", 'eval "$(./pledgewire status --env)"'): Run("tests/deploy/test_pages_on_instances.py"),
    ("one-machine.md", "./pledgewire init --force"): Run("tests/deploy/test_pages_on_instances.py"),
    ("one-machine.md", "./pledgewire systemd"): Run("tests/deploy/test_pages_on_instances.py"),
    ("CONTRIBUTING.md", "./pledgewire test --quick"): Run("tests/cli/test_testing.py", "it would run itself"),
    ("CONTRIBUTING.md", "./pledgewire stack ../try"): Run("tests/deploy/test_pages_on_instances.py"),
    ("CONTRIBUTING.md", 'eval "$(./pledgewire status --state ../try'): Run("tests/deploy/test_pages_on_instances.py"),
    ("CONTRIBUTING.md", ".venv/bin/python -m contracts.generate"): Run(
        "tests/contracts/test_generated_contracts.py", "it writes into the checkout"
    ),
    ("CONTRIBUTING.md", "./pledgewire packages relock"): Run(
        "tests/cli/test_packages_command.py", "it asks a registry"
    ),
    **{
        ("restore-a-backup.md", beginning): Run("tests/journeys/test_restore_drill.py")
        for beginning in (
            "./pledgewire backup",
            './pledgewire restore "$BACKUP" --check',
            './pledgewire restore "$BACKUP" --yes',
            "./pledgewire recovery status",
            "./pledgewire recovery release",
        )
    },
    ("restore-a-backup.md", "./pledgewire recovery drop"): Run("tests/cli/test_recovery_command.py"),
    ("change-a-schema.md", "./pledgewire test --no-lint"): Run(
        "tests/cli/test_testing.py", "it would run itself; `db sql` is on for-operators.md, too"
    ),
    ("kubernetes.md", "cp deploy/kubernetes/values.yaml"): Run("tests/deploy/test_kubernetes.py"),
    ("kubernetes.md", "kubectl create namespace"): Run("tests/deploy/test_kubernetes.py", "there is no cluster here"),
    ("kubernetes.md", "kubectl apply"): Run("tests/deploy/test_kubernetes.py", "there is no cluster here"),
    ("README.md", "python3 -m venv .venv"): Run("tests/journeys/test_starter_kits.py", "its broker is no real one"),
    ("README.md", "export REGISTRY_URL=https://registry.example.org"): Run("tests/journeys/test_starter_kits.py"),
    ("README.md", ".venv/bin/pip install -r webhook"): Run("tests/journeys/test_starter_kits.py"),
    ("README.md", "cd go"): Run("tests/journeys/test_starter_kits.py", "Go is not everywhere"),
    ("for-engineers.md", "kcat -C"): Run("tests/deploy/test_pages.py", "kcat is not everywhere"),
    ("for-engineers.md", "REPORT=$(python3"): Run("tests/deploy/test_page_examples.py", "kcat is not everywhere"),
    ("for-operators.md", "cp .env.example .env"): Run("tests/deploy/test_compose.py", "Docker is not everywhere"),
    ("for-operators.md", "export DATABASE_PASSWORD_MIGRATOR"): Run(
        "tests/access/test_database_roles.py", "an instance keeps its passwords itself"
    ),
    ("for-operators.md", "mkdir -p tls"): Run("tests/embedded/test_certificates.py", "Docker is not everywhere"),
    ("for-operators.md", "docker compose exec kafka"): Run("tests/deploy/test_compose_broker.py", "Docker"),
    ("for-operators.md", "./pledgewire db downgrade"): Run("tests/cli/test_upgrade_command.py", "nothing may run"),
    ("for-operators.md", "./pledgewire embedded upgrade-postgres"): Run(
        "tests/embedded/test_kept_folder.py", "nothing may run"
    ),
    ("for-operators.md", "./pledgewire dead-letters list"): Run(
        "tests/cli/dead_letters/test_command.py", "no record has been put aside"
    ),
    ("for-operators.md", "./pledgewire stack ../try --kafka-listen"): Run("tests/embedded/test_tls_listener.py"),
    ("add-a-channel.md", ".venv/bin/python -m contracts.generate"): Run(
        "tests/contracts/test_generated_contracts.py", "it writes into the checkout"
    ),
    ("add-a-language.md", ".venv/bin/python -m services.i18n.extraction"): Run(
        "tests/i18n/test_catalogues.py", "it writes into the checkout"
    ),
    ("add-an-event.md", ".venv/bin/python -m contracts.generate"): Run(
        "tests/contracts/test_generated_contracts.py", "it writes into the checkout"
    ),
}
"""By the page and how the block begins, the blocks that `test_pages_live` does not follow."""


def entry_of(block: Block) -> tuple[str, str] | None:
    """The entry of a block, None where there is none."""
    text = re.sub(r"\s+", " ", block.text)
    page = block.page.name
    return next((key for key in ELSEWHERE if key[0] == page and text.startswith(re.sub(r"\s+", " ", key[1]))), None)


LEFT = [block for block in blocks("sh") if block not in list(followed())]


@pytest.mark.parametrize("block", LEFT, ids=lambda block: f"{block.page.stem}: {block.text[:40]}")
def test_a_block_is_run_somewhere(block: Block) -> None:
    """
    What the pages' own run leaves out has an entry, and the test that it names is there.
    """
    entry = entry_of(block)

    assert entry, f"say in {__name__} what runs this"
    assert (PROJECT / ELSEWHERE[entry].by).exists(), entry


def test_no_entry_is_left_over() -> None:
    """
    Each entry is of a block that is there.
    """
    assert set(ELSEWHERE) == {entry_of(block) for block in LEFT}
