"""Receivers that fail on purpose, so that retries can be seen and tested."""

import asyncio
from dataclasses import dataclass

from pydantic import BaseModel, Field


class Behaviour(BaseModel):
    """How a receiver treats the next messages."""

    fail_first: int | None = Field(default=0, ge=0)
    """How many messages to turn away before all is well again; null: all of them."""
    status: int = Field(default=503, ge=300, le=599)
    """The HTTP status, or the SMTP code, of those."""
    retry_after: float | None = Field(default=None, ge=0, le=86_400)
    """Seconds to ask for in `Retry-After`; HTTP only."""
    delay: float = Field(default=0, ge=0, le=120)
    """Seconds to let every message wait for its answer, good or bad."""
    refused: int = 0
    """How many it has turned away so far."""


@dataclass(frozen=True)
class Failure:
    """What to answer instead."""

    status: int
    retry_after: float | None


class Behaviours:
    """By kind and name of the receiver."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Behaviour] = {}

    async def meet(self, kind: str, name: str) -> Failure | None:
        """Wait as the receiver is told to, then say whether it fails this time."""
        if not self.of or (behaviour := self.of.get((kind, name))) is None:
            return None
        fails = behaviour.fail_first is None or behaviour.refused < behaviour.fail_first
        behaviour.refused += fails
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        return Failure(behaviour.status, behaviour.retry_after) if fails else None
