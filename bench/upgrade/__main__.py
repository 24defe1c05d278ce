"""`pledgewire bench upgrade --deliveries 1000000`: seconds of each, on an embedded PostgreSQL of its own.

The rows are as long as real ones: an event for ten deliveries, a delivery with one attempt. The upgrade is that of the
last release's schemas to this one's; the longest stop of a writer is what one who writes a row again and again saw.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

import asyncpg

from deploy.embedded.postgres import Postgres
from deploy.embedded.state import StateFolder
from services.cli.backup.manifest import DUMP
from services.cli.backup.programs import size_of
from services.cli.backup.restoring import check_files, read_manifest, restore
from services.cli.backup.writing import write_backup
from services.cli.databases import schema_versions, upgrade_all
from services.cli.released_schemas import LAST_RELEASE, RELEASED_SCHEMAS
from services.plumbing.migrations import upgrade

FILL = (
    """
insert into event (id, topic, commitment_id, seq, value, time, received_at, matched)
select uuidv7(), 'status-changed', 'nals-2021-' || n % 88, n, convert_to(repeat('x', 2200), 'UTF8'), now(), now(), 10
from generate_series(1, $1::int / 10) n
""",
    """
insert into delivery (thread, event_id, subscription_id, commitment_id, channel, state, attempts, next_at, created_at,
                      settled_at, destination)
select uuidv7(), e.id, uuidv7(), e.commitment_id, 'webhook', 'delivered', 1, now(), now(), now(),
       sha256(uuid_send(e.id))
from event e, generate_series(1, 10)
""",
    """
insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, code, latency_ms)
select id, 1, now(), now(), 'delivered', 200, 12.5 from delivery
""",
    "analyze",
)


async def timed(what: str, work: Awaitable[object], found: dict[str, float]) -> None:
    began = time.monotonic()
    await work
    found[what] = round(time.monotonic() - began, 1)
    print(f"{what:<32} {found[what]:8.1f} s", flush=True)


async def fill(url: str, deliveries: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    try:
        for sql in FILL:
            await connection.execute(sql.replace("$1", str(deliveries)))
    finally:
        await connection.close()


async def write_on(url: str, stop: asyncio.Event) -> float:
    """The longest that one update of one delivery took until it was told to stop; seconds."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    longest = 0.0
    try:
        while not stop.is_set():
            began = time.monotonic()
            await connection.execute("update delivery set attempts = attempts where position = 1")
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.005)
    finally:
        await connection.close()
    return longest


async def measure(url: str, folder: Path, deliveries: int) -> dict[str, float]:
    found: dict[str, float] = {"deliveries": deliveries}
    for schema, versions in schema_versions().items():
        await upgrade(url, schema, versions, RELEASED_SCHEMAS[LAST_RELEASE][schema])
    await timed("filled", fill(url, deliveries), found)
    stop = asyncio.Event()
    writing = asyncio.create_task(write_on(url, stop))
    await timed(f"upgraded from {LAST_RELEASE}", upgrade_all(url), found)
    stop.set()
    found["longest stop of a writer"] = round(await writing, 2)
    print(f"{'longest stop of a writer':<32} {found['longest stop of a writer']:8.2f} s", flush=True)
    await timed("backed up", write_backup(url, folder, None, lambda *_: None), found)
    found["megabytes of the backup"] = round(size_of(folder / DUMP) / 1e6, 1)
    print(f"{'megabytes of the backup':<32} {found['megabytes of the backup']:8.1f}", flush=True)
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    await timed("restored", restore(url, folder, manifest, lambda *_: None), found)
    return found


def main() -> None:
    asked = argparse.ArgumentParser(prog="pledgewire bench upgrade", description=__doc__)
    asked.add_argument("--deliveries", type=int, default=1_000_000)
    asked.add_argument("--json", action="store_true", help="print one JSON document at the end")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="pledgewire-bench-") as place:
        Path(place).chmod(0o755)
        state = StateFolder(Path(place) / "state")
        state.open()
        server = Postgres(state, state.credentials())
        server.start()
        try:
            found = asyncio.run(measure(server.url, Path(place) / "backup", options.deliveries))
        finally:
            server.stop()
            state.close()
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
