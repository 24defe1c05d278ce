"""Who has an answer already is told that nothing has changed, and nobody else."""

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from services.plumbing.http.etags import etag, is_current, tagged

TAG = etag(b"a body")


@given(st.binary(), st.binary())
def test_the_same_content_has_the_same_tag_and_other_content_another(one: bytes, other: bytes) -> None:
    assert (etag(one) == etag(other)) == (one == other)


@pytest.mark.parametrize(
    ("if_none_match", "current"),
    [
        (None, False),
        ("", False),
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        (f'"other",W/{TAG}', True),
        ("*", True),
        (TAG.strip('"'), False),
        ('"other"', False),
        ('"*"', False),
    ],
)
def test_if_none_match_is_compared_as_rfc_9110_says(if_none_match: str | None, current: bool) -> None:
    assert is_current(if_none_match, TAG) is current


def test_an_answer_is_sent_again_only_when_it_has_changed() -> None:
    app, body = FastAPI(), [b'{"n": 1}']

    @app.get("/")
    def read(request: Request) -> Response:
        return tagged(request, body[0], "application/json")

    with TestClient(app) as client:
        first = client.get("/")
        again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
        body[0] = b'{"n": 2}'
        changed = client.get("/", headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, first.headers["cache-control"], first.json()) == (200, "no-cache", {"n": 1})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (changed.status_code, changed.json()) == (200, {"n": 2})
