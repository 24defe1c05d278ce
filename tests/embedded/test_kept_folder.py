"""A folder that an older Kafka or PostgreSQL has made goes on with the newer one, with all that was in it."""

import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from deploy.embedded import EmbeddedError, EmbeddedStack, kafka
from deploy.embedded.apart import apart
from deploy.embedded.kafka_format import format_brokers
from deploy.embedded.postgres import Postgres
from deploy.embedded.postgres_upgrade import upgrade_postgres
from deploy.embedded.state import Credentials, StateFolder
from tests.embedded.test_stack import keep, kept

pytestmark = pytest.mark.slow

OLDER = sorted(Path("/usr/lib/postgresql").glob("1[0-7]/bin/postgres"))
"""Servers of older major versions on this machine."""


def metadata_levels(state: Path) -> list[int]:
    """The levels of `metadata.version` that the broker's log tells, in order."""
    text = (state / "logs" / "kafka-0.log").read_text(errors="replace")
    return [int(level) for level in re.findall(r"metadata\.version to (?:feature level )?(\d+)", text)]


def test_a_cluster_of_an_older_kafka_gets_the_newer_one_s_features(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Once, at the first start with the newer one; records stay, and later starts ask nothing.
    """

    def format_as_4_0(java: Sequence[str], brokers: Sequence[Path], credentials: Credentials) -> None:
        script = brokers[0] / "format.sh"
        script.write_text('#!/bin/sh\nexec "$@" --release-version 4.0\n')
        script.chmod(0o755)
        format_brokers([str(script), *java], brokers, credentials)

    with monkeypatch.context() as patched:
        patched.setattr(kafka, "format_brokers", format_as_4_0)
        patched.setattr(kafka.Kafka, "_release", "4.0")
        with EmbeddedStack(state) as stack:
            keep(stack.environment(), "before")
    before = metadata_levels(state)

    with EmbeddedStack(state) as stack:
        keep(stack.environment(), "after", new=False)
        words = kept(stack.environment())
    after = metadata_levels(state)
    asked: list[object] = []
    monkeypatch.setattr(kafka, "levels", lambda *_: asked.append(1))
    with EmbeddedStack(state):
        pass

    assert max(before) < max(after)
    assert words == (["before", "after"], ["before", "after"])
    assert asked == []


@pytest.mark.skipif(not OLDER, reason="this machine has no PostgreSQL of an older major version to begin with")
def test_a_database_of_an_older_postgresql_is_brought_over(state: Path) -> None:
    """
    Refused in two lines at first; then upgraded by the command, with rows, roles and passwords, and the old one kept.
    """
    programs = OLDER[0].parents[1]
    folder = StateFolder(state)
    folder.open()
    known = folder.credentials()
    old = Postgres(folder, known, programs=programs, locale=("--encoding=UTF8", "--locale=C"))
    old.start()

    async def fill() -> None:
        connection = await asyncpg.connect(old.url)
        await connection.execute("create table kept (word text, n int generated always as identity)")
        await connection.execute("insert into kept (word) select 'word' from generate_series(1, 1000)")
        await connection.execute("create role reader login password 'of-this-test-only'")
        await connection.execute("grant select on kept to reader")
        await connection.close()

    apart(fill)
    old.stop()
    folder.close()

    with pytest.raises(EmbeddedError, match=r"is PostgreSQL 1[0-7]'s, and 18 comes along"), EmbeddedStack(state):
        pass
    before = upgrade_postgres(state, programs)

    async def look(url: str) -> tuple[int, str]:
        connection = await asyncpg.connect(url)
        await connection.execute("insert into kept (word) values ('more')")
        [found] = await connection.fetch("select count(*), current_setting('server_version') from kept")
        await connection.close()
        return found[0], found[1]

    with EmbeddedStack(state) as stack:
        url = stack.environment()["DATABASE_URL"]
        count, version = apart(lambda: look(url))
        reader = url.replace(f"{known.username}:{known.postgres_password}@", "reader:of-this-test-only@")

        async def read() -> int:
            connection = await asyncpg.connect(reader)
            n: int = await connection.fetchval("select max(n) from kept")
            await connection.close()
            return n

        assert apart(read) == 1001
    assert (count, version.partition(".")[0]) == (1001, "18")
    assert (before / "PG_VERSION").exists()
