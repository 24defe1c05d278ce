"""Reports that were refused, until they come again and are recorded: for who sent them and asks."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.plumbing.database import Connection
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import RegistryError


@dataclass(frozen=True)
class RefusedReport:
    """Why a report was refused, as it can be said in any language."""

    kind: str
    code: str
    detail: Sentence
    pointer: str
    refused_at: datetime


async def put_refused_reports(
    connection: Connection, sender: str, refused: Mapping[UUID, RegistryError], now: datetime
) -> None:
    """Keep why reports were refused; of one that is refused again, the newest reason."""
    if not refused:
        return
    await connection.execute(
        """
        insert into refused_report (sender, report_id, kind, code, message, message_values, pointer, refused_at)
        select $1, r.*, $8 from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::json[], $7::text[]) as r
        on conflict (sender, report_id) do update set
            kind = excluded.kind, code = excluded.code, message = excluded.message,
            message_values = excluded.message_values, pointer = excluded.pointer, refused_at = excluded.refused_at
        """,
        sender,
        list(refused),
        [error.kind for error in refused.values()],
        [error.code for error in refused.values()],
        [error.sentence.message for error in refused.values()],
        [{name: str(value) for name, value in error.sentence.values.items()} for error in refused.values()],
        [error.pointer for error in refused.values()],
        now,
    )


async def drop_refused_reports(connection: Connection, sender: str, report_ids: Collection[UUID]) -> None:
    """Forget refusals of reports that have been recorded since."""
    await connection.execute(
        "delete from refused_report where sender = $1 and report_id = any($2::uuid[])", sender, list(report_ids)
    )


async def find_refused_report(connection: Connection, sender: str, report_id: UUID) -> RefusedReport | None:
    """Why a report was refused last; None where it was not."""
    row = await connection.fetchrow(
        "select kind, code, message, message_values, pointer, refused_at from refused_report"
        " where sender = $1 and report_id = $2",
        sender,
        report_id,
    )
    if row is None:
        return None
    message, values = row["message"], _values(row["message_values"])
    detail = Sentence(message, **values)
    return RefusedReport(row["kind"], row["code"], detail, row["pointer"], row["refused_at"])


def _values(kept: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(kept) if isinstance(kept, str) else kept
    return values
