"""How a service is: to everybody a word, to its operators each check by name, and what it goes by.

The word is at the public door (`/livez`, `/readyz`), for proxies and probes. What is wrong, and with which of the parts
behind it, is nobody's business there: details and metrics are at the admin port.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, or None; may raise, which is wrong too."""

_LONGEST_CHECK = 3.0


class Health:
    """The checks of a service, and its facts: the release of data that is reckoned with, say.

    A fact that changes is given as a function.
    """

    def __init__(self, service: str, checks: Mapping[str, Check], facts: Mapping[str, Any]) -> None:
        self.service = service
        self._checks = checks
        self._facts = facts

    async def wrong(self) -> dict[str, str]:
        """What is wrong, by the checks' names; nothing where the service is ready."""
        found = await asyncio.gather(*(_checked(check) for check in self._checks.values()))
        return {name: result for name, result in zip(self._checks, found, strict=True) if result is not None}

    async def details(self) -> dict[str, Any]:
        """Whether it is ready, every check, and the facts."""
        wrong = await self.wrong()
        return {
            "status": _word(wrong),
            "checks": {name: wrong.get(name, "ok") for name in self._checks},
            **{name: fact() if callable(fact) else fact for name, fact in self._facts.items()},
        }


def add_public_health(app: FastAPI, health: Health) -> None:
    """`/livez`, and `/readyz` with a word."""
    _add_life(app, health)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return _answer({"status": _word(await health.wrong())})


def add_admin_health(app: FastAPI, health: Health) -> None:
    """`/livez`, `/readyz` with all that is known, and `/metrics`."""
    _add_life(app, health)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return _answer(await health.details())

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_life(app: FastAPI, health: Health) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive", "service": health.service}


def _word(wrong: Mapping[str, str]) -> str:
    return "waiting" if wrong else "ready"


def _answer(body: Mapping[str, Any]) -> JSONResponse:
    is_ready = body["status"] == "ready"
    return JSONResponse(body, 200 if is_ready else 503, {} if is_ready else {"Retry-After": "1"})


async def _checked(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_LONGEST_CHECK):
            return await check()
    except TimeoutError:
        return f"no answer within {_LONGEST_CHECK:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
