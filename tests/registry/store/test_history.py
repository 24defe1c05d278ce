"""The tables that hold what was recorded refuse to be changed."""

import asyncpg
import pytest

from tests.registry.scenes import Register


async def test_the_history_is_only_ever_added_to(register: Register, joint: str) -> None:
    await register.report(joint, status="met")
    await register.send(
        "POST", f"/commitments/{joint}/assessments", {"organisation": "W", "assessment": "unclear"}, by="watch"
    )
    async with register.database.connection() as connection:
        for statement in (
            "update status_update set note = ''",
            "delete from milestone_schedule",
            "update assessment set assessment = 'achieved'",
            "truncate anchor_news",
        ):
            with pytest.raises(asyncpg.RaiseError):
                await connection.execute(statement)
