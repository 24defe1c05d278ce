"""The interface of record: reading is open, writing needs a key with the role for it.

A handler writes rows and outbox lines, and never to Kafka: the register serves while Kafka is away.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.app import Check, web_app
from services.registry.actions.holds import ScheduleHolds
from services.registry.http import anchors, commitments, consistency, milestones, statements, status_updates, wordings
from services.registry.http.problems import answer_registry_error
from services.registry.http.write_endpoint import WriteEndpoint
from services.registry.rules.errors import RegistryError


def http_app(
    database: Database,
    clock: Clock,
    keys: ApiKeys,
    checks: Mapping[str, Check],
    holds: ScheduleHolds | None = None,
    facts: Mapping[str, Any] | None = None,
) -> FastAPI:
    """The whole HTTP interface; nothing is connected by building it. `facts` are for `/readyz`.

    `holds` is where an old date is held while it moves; without it the register stands alone.
    """
    app = web_app(
        "registry",
        "Pledgewire registry",
        checks,
        facts=facts,
        version="1.0.0",
        summary="Commitments, what is due and when, and how it is going.",
    )
    app.add_exception_handler(RegistryError, answer_registry_error)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    endpoint = WriteEndpoint(database, clock, keys)
    app.include_router(statements.read_routes(database))
    app.include_router(statements.write_routes(endpoint, holds))
    app.include_router(commitments.read_routes(database))
    app.include_router(commitments.write_routes(endpoint))
    app.include_router(status_updates.write_routes(endpoint))
    app.include_router(milestones.read_routes(database))
    app.include_router(milestones.write_routes(endpoint, holds))
    app.include_router(anchors.read_routes(database))
    app.include_router(anchors.write_routes(endpoint, holds))
    app.include_router(wordings.routes())
    app.include_router(consistency.read_routes(database))
    return app
