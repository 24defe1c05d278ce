"""Who may call, and with what kind of body: the same answer on every route."""

import json
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends
from starlette.testclient import TestClient

from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings, Caller, new_key
from services.plumbing.http.app import web_app


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """The keys of two clients, by their names."""
    made = {client: new_key(client) for client in ("desk", "mx")}
    roles = {"desk": ["editor"], "mx": ["reporter"]}
    (tmp_path / "keys.json").write_text(
        json.dumps({c: {"sha256": hashed, "ministry": None, "roles": roles[c]} for c, (_, hashed) in made.items()})
    )
    return {client: key for client, (key, _) in made.items()}


@pytest.fixture
def client(keys: dict[str, str], tmp_path: Path) -> TestClient:
    app = web_app("test", "Test", {})
    known = ApiKeys(ApiKeySettings(file=tmp_path / "keys.json"))

    @app.post("/things")
    def make(caller: Annotated[Caller, Depends(known.caller("editor"))]) -> str:
        return caller.client

    @app.get("/things")
    def read(caller: Annotated[Caller, Depends(known.caller("editor", "reporter"))]) -> str:
        return caller.client

    return TestClient(app)


def bearing(key: str, content_type: str = "application/json") -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": content_type}


def test_a_key_with_one_of_the_roles_is_let_in(client: TestClient, keys: dict[str, str]) -> None:
    other_letters = bearing(keys["desk"], "Application/JSON; charset=utf-8")

    assert client.post("/things", content="{}", headers=bearing(keys["desk"])).json() == "desk"
    assert client.post("/things", content="{}", headers=other_letters).json() == "desk"
    assert client.get("/things", headers=bearing(keys["mx"])).json() == "mx"


@pytest.mark.parametrize(
    ("by", "content_type", "status", "kind"),
    [
        (None, "application/json", 401, "unauthorized"),
        ("nobody", "application/json", 401, "unauthorized"),
        ("mx", "application/json", 403, "forbidden"),
        ("desk", "text/plain", 415, "media-type"),
        ("desk", "", 415, "media-type"),
        ("nobody", "text/plain", 415, "media-type"),
        (None, "text/plain", 415, "media-type"),
    ],
)
def test_others_are_told_what_is_missing_a_body_first(
    client: TestClient, keys: dict[str, str], by: str | None, content_type: str, status: int, kind: str
) -> None:
    headers = bearing(keys.get(by or "", "pw_nobody_x"), content_type)
    if by is None:
        del headers["Authorization"]

    answer = client.post("/things", content="{}", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_the_document_says_that_a_key_is_needed(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert document["paths"]["/things"]["post"]["security"] == [{"api-key": []}]
    assert document["components"]["securitySchemes"]["api-key"]["scheme"] == "bearer"


def test_a_key_that_is_taken_out_of_the_file_is_refused_at_once(
    client: TestClient, keys: dict[str, str], tmp_path: Path
) -> None:
    assert client.get("/things", headers=bearing(keys["mx"])).status_code == 200
    (tmp_path / "keys.json").write_text("{}")
    assert client.get("/things", headers=bearing(keys["mx"])).status_code == 401
