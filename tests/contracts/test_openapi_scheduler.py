"""The committed OpenAPI document of the scheduler."""

from services.scheduler.openapi import PATH, document


def test_the_committed_document_is_what_the_code_says_now() -> None:
    assert document() == PATH.read_text(encoding="utf-8"), "write it: python -m services.scheduler.openapi"
