"""What is rehearsed on: the scheduler's own tables, only looked at, or the statement that comes with the program."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from contracts.events import MilestoneScheduled
from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY
from services.registry.actions.events import UNSAID
from services.registry.catalogue.loading import load
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.rules.agenda import SHIPPED_RULES, Agenda, PlanningRules, agenda_after
from services.scheduler.reminders.store import read_agendas

_HOW = "check DATABASE_URL (postgresql://user:password@host/name), or unset it for the built-in statement"


@dataclass(frozen=True)
class RehearsalSource:
    """Commitments as they stand, and the rules that hold for them now."""

    name: str
    """What it is, for people."""
    agendas: Sequence[Agenda]
    rules: PlanningRules
    book: str
    """Which ladders hold now."""


def built_in(at: datetime) -> RehearsalSource:
    """The joint statement of 2021 as if it had just been imported at this instant."""
    catalogue = load()
    agendas = []
    for commitment in catalogue.commitments:
        agenda = Agenda()
        for seq, milestone in enumerate(commitment.milestones, 1):
            event = MilestoneScheduled(
                seq=seq,
                cause=UNSAID,
                commitment=catalogue.brief(commitment),
                milestone=milestone,
                schedule_version=1,
                change="first",
                previous=None,
                source=None,
            )
            agenda = agenda_after(agenda, event, at)
        agendas.append(agenda)
    name = f"the built-in statement of {catalogue.statement.made_on}, as just imported"
    return RehearsalSource(name, agendas, SHIPPED_RULES, "the shipped ladders")


def from_database(url: str) -> RehearsalSource:
    """The scheduler's schema of this database as it stands, in one read-only snapshot; raises EmbeddedError."""
    try:
        return asyncio.run(_read(url))
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError) as error:
        raise EmbeddedError(
            f"the database has no scheduler's schema of this version: {error}",
            "bring it to its newest revision: pledgewire db upgrade",
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise EmbeddedError(
            f"the database did not answer: {error or type(error).__name__}",
            _HOW,
        ) from error


async def _read(url: str) -> RehearsalSource:
    settings = {"search_path": "scheduler", "application_name": "pledgewire-rehearse", "timezone": "UTC"}
    try:
        connection = await asyncpg.connect(url, timeout=10, server_settings=settings)
    except ValueError as error:
        raise EmbeddedError(f"the address of the database can't be read: {error}", _HOW, ASKED_WRONGLY) from error
    try:
        for kind in ("json", "jsonb"):
            await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rules = await RulesCache().rules(connection)
            agendas: Mapping[str, Agenda] = await read_agendas(connection)
            version = await connection.fetchval("select book_version from planning_rules")
    finally:
        await connection.close()
    book = f"ladder book {version}, which holds now" if version else "the shipped ladders, which hold now"
    return RehearsalSource("the commitments in the database", list(agendas.values()), rules, book)
