"""The registry serves the contracts: what `dataschema` names is found there, by anybody."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
import yaml

from contracts import generate
from contracts.envelope import schema_uri
from contracts.topics import ALL, Topic
from services.registry.http.contract_documents import SCHEMA_JSON, YAML
from tests.architecture.applications import applications

JSON = "application/json"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """The registry without a database behind it: the documents are part of the code."""
    transport = httpx.ASGITransport(app=applications()["registry"])
    async with httpx.AsyncClient(transport=transport, base_url="http://registry.example") as client:
        yield client


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
async def test_what_dataschema_names_is_served_under_the_same_path(client: httpx.AsyncClient, topic: Topic) -> None:
    """
    Byte for byte as it is committed, as a JSON Schema.
    """
    path = urlsplit(schema_uri(topic)).path
    answer = await client.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (200, SCHEMA_JSON)
    assert answer.content == (generate.HERE.parent / path.removeprefix("/")).read_bytes()
    assert answer.json()["$id"] == schema_uri(topic)


SERVED = [
    ("cards", "cards.json", JSON),
    ("asyncapi.yaml", "asyncapi.yaml", YAML),
    ("openapi/registry.json", "openapi/registry.json", JSON),
    ("openapi/scheduler.json", "openapi/scheduler.json", JSON),
    ("openapi/notifier.json", "openapi/notifier.json", JSON),
    ("examples/status-changed.v1.canada-seul.json", "examples/status-changed.v1.canada-seul.json", JSON),
]


@pytest.mark.parametrize(("path", "file", "media_type"), SERVED, ids=[path for path, *_ in SERVED])
async def test_a_document_is_served_as_it_is_committed(
    client: httpx.AsyncClient, path: str, file: str, media_type: str
) -> None:
    """
    Anybody may keep it for an hour, and ask by its tag whether it has changed.
    """
    answer = await client.get(f"/contracts/{path}")
    again = await client.get(f"/contracts/{path}", headers={"If-None-Match": answer.headers["etag"]})
    other = await client.get(f"/contracts/{path}", headers={"If-None-Match": '"another"'})

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    assert answer.content == (generate.HERE / file).read_bytes()
    assert answer.headers["cache-control"] == again.headers["cache-control"] == "public, max-age=3600"
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "schemas/none.v1.json",
            "schemas/..%2Fcards.json",
            "schemas/%2e%2e/topics.py",
            "schemas/",
            "examples/x",
            "openapi/x",
        ),
        *("topics.py", "README.md", "cards.json", "released/0.2.0/release.json"),
    ],
)
async def test_nothing_else_of_the_folder_is_served(client: httpx.AsyncClient, path: str) -> None:
    """
    No code, no other folder, whatever the path says.
    """
    assert (await client.get(f"/contracts/{path}")).status_code == 404


async def test_whatever_the_documents_refer_to_is_served_beside_them(client: httpx.AsyncClient) -> None:
    """
    The schemas of the AsyncAPI document and of the cards, relative to where those are.
    """
    document = yaml.safe_load((await client.get("/contracts/asyncapi.yaml")).content)
    referred = {message["payload"]["$ref"] for message in document["components"]["messages"].values()}
    referred |= {card["schema"] for card in json.loads((await client.get("/contracts/cards")).content)}

    assert len(referred) >= 9
    for path in referred:
        assert (await client.get(f"/contracts/{path.removeprefix('./')}")).status_code == 200, path
