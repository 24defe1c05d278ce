"""Requests to the notifier that the tests of several resources send."""

from typing import Any

import httpx2 as httpx

HOOK = "http://127.0.0.1:8025/hooks/very-secret-token"


def by(http: httpx.AsyncClient, client: str) -> dict[str, str]:
    return {"authorization": f"Bearer {http.keys[client]}"}  # type: ignore[attr-defined]


def form(**changes: Any) -> dict[str, Any]:
    return {"subscriber": "Climate desk", "channel": "webhook", "address": HOOK} | changes


async def subscribed(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/subscriptions", json=form(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()
