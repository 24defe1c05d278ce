"""`pledgewire audit`: holds each service's audit log against its hashes and its published heads, and shows it."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import FAILED, CommandClient, Refusal, print_json

if TYPE_CHECKING:
    from services.plumbing.audit.verifying import Head, LogCheck

audit = typer.Typer(help="Who changed what: the audit logs, and whether they are whole.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@audit.command("verify")
def verify_command(*, json: AsJson = False) -> None:
    """Read every log, and hold it against itself and the heads on its topic; ends with 1 and the first break.

    Needs DATABASE_URL, and Kafka as an operator may read it.
    """
    checks = _verified()
    if json:
        print_json({"items": [_facts(check) for check in checks]})
    else:
        for check in checks:
            _print(check)
    broken = [check for check in checks if check.found]
    if broken and json:
        raise typer.Exit(FAILED)
    for check in broken:
        found = check.found
        raise EmbeddedError(
            f"{check.service}, position {found.position if found else 0}: {found.what if found else ''}",
            "keep the database as it is, and compare it with a backup: docs/for-operators.md says how",
            FAILED,
        )


@audit.command("list")
def list_command(
    *,
    subject: Annotated[str | None, typer.Option(help="Only of this, as commitment/coal-finance.")] = None,
    who: Annotated[str | None, typer.Option(help="Only by this client.")] = None,
    since: Annotated[str | None, typer.Option(help="Not before, as 2022-02-01T00:00:00Z.")] = None,
    url: Annotated[
        str, typer.Option(envvar="REGISTRY_URL", help="Where the service answers.")
    ] = "http://127.0.0.1:8401",
    key: Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role auditor.")] = "",
    json: AsJson = False,
) -> None:
    """List changes as one service's log has them; the scheduler's and the notifier's with their --url."""
    asked = {"subject": subject, "who": who, "since": since, "limit": "500"}
    params = {name: value for name, value in asked.items() if value is not None}
    client = CommandClient("service", "REGISTRY_URL", "--url", url, _explain, key or None)
    items = client.items("/audit", params)
    if json:
        print_json({"items": items})
        return
    for one in items:
        by = ", ".join(filter(None, (one["client"], one["ministry"], one["key_id"] and f"key {one['key_id']}")))
        typer.echo(f"{one['position']}  {one['at'][:19]}  {one['action']}  {one['subject']}  ({by})")


def _verified() -> "list[LogCheck]":
    """Every log, as it was found; raises EmbeddedError where the database or Kafka does not answer."""
    import asyncpg

    from services.cli.databases import SERVICES_WITH_SCHEMA
    from services.cli.platform import ProgressLine, database_url
    from services.plumbing.audit.reading import check_log
    from services.plumbing.transient_errors import is_transient

    async def ask() -> "list[LogCheck]":
        connection = await asyncpg.connect(database_url(), server_settings={"application_name": "pledgewire-audit"})
        try:
            checks = []
            for service in SERVICES_WITH_SCHEMA:
                # The heads first: what is published while the log is read has nothing to be held against.
                heads = await published_heads(service)
                with ProgressLine(f"reading the log of the {service}") as line:
                    checks.append(await check_log(connection, service, heads, line.show))
            return checks
        finally:
            await connection.close()

    try:
        return asyncio.run(ask())
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(
            f"the database or Kafka did not answer: {error}",
            "check DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS and try again",
        ) from error


async def published_heads(service: str) -> "list[Head]":
    """All heads on a service's topic, in the order in which they lie there."""
    from contracts.topics import audit_head_topic
    from services.plumbing.audit.verifying import read_head
    from services.plumbing.kafka.settings import KafkaSettings
    from services.plumbing.kafka.topic_reader import TopicReader

    found: dict[int, Head] = {}
    async with TopicReader(KafkaSettings()).open([audit_head_topic(service).name]) as topics:
        bounds = await topics.bounds()
        starts = {place: one.first for place, one in bounds.items()}
        async for batch in topics.read(starts, {place: one.end for place, one in bounds.items()}):
            for record in batch:
                head = read_head(record.value or b"")
                found.setdefault(head.seq, head)  # a repeat, after a crash, says the same
    return list(found.values())


def _facts(check: "LogCheck") -> dict[str, Any]:
    return {
        "service": check.service,
        "entries": check.position,
        "heads": len(check.heads),
        "published_to": max((head.position for head in check.heads), default=0),
        "restores": [
            {"position": fork.position, "went_on_behind": fork.went_on_behind, "lost_to": fork.last.position}
            for fork in check.forks
        ],
        "break": vars(check.found) if check.found else None,
    }


def _print(check: "LogCheck") -> None:
    facts = _facts(check)
    typer.echo(
        f"{'NO ' if check.found else 'ok '} {check.service}: {facts['entries']} entries,"
        f" {facts['heads']} heads published, the newest of {facts['published_to']}"
    )
    for one in facts["restores"]:
        typer.echo(
            f"    a restore is noted at {one['position']}: the log went on behind {one['went_on_behind']},"
            f" and what was published up to {one['lost_to']} is lost"
        )


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    how = "use a key with the role auditor: PLEDGEWIRE_KEY or --key" if refusal.status in (401, 403) else "try again"
    if refusal.status in (400, 422):
        how = "; ".join(refusal.faults) or "mend what it says"
    return refusal.told(how)
