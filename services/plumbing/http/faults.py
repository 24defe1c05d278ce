"""What a request lacks, part by part: where it lies, a code for programs and a sentence for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError

from services.plumbing.http.form_faults import FORM_FAULTS, OTHER_FAULT, FormFault
from services.plumbing.sentences import Sentence, Translate, said, sentence_of

MOST_FAULTS = 20
"""Faults of one body that its problem lists."""

_LONGEST_NAME = 60
"""Characters of a member's name that is repeated in a pointer: of those that are sent, none has a bound."""
_PLACES = {"query": "parameter", "path": "parameter", "header": "header"}


@dataclass(frozen=True)
class Fault:
    """One fault. `place` names where it lies: `pointer` into the body, or `parameter` or `header` by its name."""

    code: str
    """For programs: it never changes, whatever the language."""
    detail: str
    place: Mapping[str, str]

    def document(self, translate: Translate) -> dict[str, str]:
        """As it stands in a problem."""
        return {**self.place, "code": self.code, "detail": said(self.detail, translate)}


def pointer_to(*parts: str | int) -> str:
    """A JSON pointer as the fragment of an address (RFC 6901, 6), as RFC 9457 has it in its examples."""
    escaped = (str(part)[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1") for part in parts)
    return "#" + "".join("/" + quote(part, safe="~!$&'()*+,;=:@?") for part in escaped)


def faults_of(error: RequestValidationError) -> list[Fault]:
    """The faults of a request that is not of its form, the first of them."""
    return [_fault(fault, error.body) for fault in _found(error)[:MOST_FAULTS]]


def is_of_its_form(error: RequestValidationError) -> bool:
    """Whether nothing but our own validators refuses it, whose `ValueError` says a rule that no schema can."""
    return all(fault["type"] == "value_error" for fault in _found(error))


def _found(error: RequestValidationError) -> Sequence[Any]:
    errors = error.errors()
    # A list all of whose items are refused is too short as well for pydantic, which says it of no fault of its own.
    return [
        fault
        for fault in errors
        if fault["type"] != "too_short" or not any(_is_within(other["loc"], fault["loc"]) for other in errors)
    ]


def _is_within(place: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def _fault(fault: Mapping[str, Any], body: Any) -> Fault:
    origin, *parts = fault["loc"]
    if origin in _PLACES:
        place = {_PLACES[origin]: str(parts[0]) if parts else ""}
    else:
        place = {"pointer": pointer_to(*_in_body(parts, body, is_missing=fault["type"] == "missing"))}
    given = fault.get("ctx", {})
    if fault["type"] == "value_error":
        refused: BaseException = given["error"]
        return Fault(getattr(refused, "code", "refused-by-rule"), sentence_of(refused), place)
    known: FormFault = FORM_FAULTS.get(fault["type"], OTHER_FAULT)
    if "expected" in given:
        given = {**given, "expected": given["expected"].replace("' or '", "', '")}  # pydantic's list is English
    return Fault(known.code, Sentence(known.message, **{name: given.get(name, "") for name in known.values}), place)


def _in_body(parts: Sequence[Any], body: Any, *, is_missing: bool) -> list[str | int]:
    """The parts of a place that are really there: pydantic also names the branch that it took, and `[key]`."""
    found: list[str | int] = []
    for number, part in enumerate(parts):
        if (isinstance(body, dict) and part in body) or (
            isinstance(body, list) and isinstance(part, int) and part < len(body)
        ):
            body = body[part]
        elif not (is_missing and number == len(parts) - 1):
            continue
        found.append(part)
    return found
