"""The interface of record: reading is open, writing needs a key with the role for it.

A handler writes rows and outbox lines, and never to Kafka: the register serves while Kafka is away.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.i18n.words import answer_language
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.audit.refused_attempts import RefusedAttempts
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.app import web_app
from services.plumbing.http.audit_routes import audit_routes
from services.plumbing.http.health import Check
from services.registry.actions.holds import ScheduleHolds
from services.registry.http import (
    anchors,
    api_keys,
    assessments,
    commitments,
    consistency,
    contract_documents,
    due_milestones,
    milestones,
    ministries,
    reports,
    snapshot,
    statements,
    status_updates,
    wordings,
)
from services.registry.http.problems import answer_registry_error
from services.registry.http.write_endpoint import WriteEndpoint
from services.registry.rules.errors import RegistryError


async def _at_once() -> None:
    return


def http_app(
    database: Database,
    clock: Clock,
    keys: ApiKeys,
    checks: Mapping[str, Check],
    holds: ScheduleHolds | None = None,
    facts: Mapping[str, Any] | None = None,
    reread_keys: api_keys.Reread = _at_once,
    keyed_hash: KeyedHash = WITHHELD,
    no_news_months: int = 12,
) -> FastAPI:
    """The whole HTTP interface; nothing is connected by building it. `facts` are for `/readyz`.

    `reread_keys` has `keys` know what the table says after it was changed here.
    `no_news_months` is after how long a commitment without news is flagged.
    `holds` is where an old date is held while it moves; without it the register stands alone.
    """
    app = web_app(
        "registry",
        "Pledgewire registry",
        checks,
        facts=facts,
        note_refusal=RefusedAttempts(database, clock).note,
        key_of=keys.key_of,
        languages=answer_language,
        version="1.0.0",
        summary="Commitments, what is due and when, and how it is going.",
    )
    app.add_exception_handler(RegistryError, answer_registry_error)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    endpoint = WriteEndpoint(database, clock, keys, keyed_hash)
    app.include_router(statements.read_routes(database))
    app.include_router(statements.write_routes(endpoint, holds, no_news_months))
    app.include_router(commitments.read_routes(database, clock))
    app.include_router(due_milestones.read_routes(database, clock))
    app.include_router(commitments.write_routes(endpoint))
    app.include_router(status_updates.write_routes(endpoint))
    app.include_router(reports.read_routes(endpoint))
    app.include_router(reports.write_routes(endpoint))
    app.include_router(assessments.write_routes(endpoint))
    app.include_router(milestones.read_routes(database))
    app.include_router(milestones.write_routes(endpoint, holds))
    app.include_router(anchors.read_routes(database))
    app.include_router(anchors.write_routes(endpoint, holds))
    app.include_router(ministries.read_routes(database))
    app.include_router(ministries.write_routes(endpoint))
    app.include_router(snapshot.read_routes(database))
    app.include_router(api_keys.key_routes(endpoint, reread_keys))
    app.include_router(wordings.routes())
    app.include_router(consistency.read_routes(database))
    app.include_router(contract_documents.read_routes())
    app.include_router(audit_routes(database, keys))
    return app
