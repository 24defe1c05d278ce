"""Lists of words that a later release may add to: written strictly, read tolerantly."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

TOLERANT: Mapping[str, bool] = {"tolerant": True}
"""The validation context of who reads what another release may have written."""

_WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 64


def _read(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """The value by its list; a word that stands in no list as it is, where the reader is tolerant."""
    try:
        return handler(value)
    except ValidationError:
        if not (info.context and info.context.get("tolerant") and _is_word(value)):
            raise
        return value


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and _WORD.fullmatch(value) is not None


def _schema(known: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """What readers may meet: the words of today, or one more."""
    if handler.mode == "validation":
        return known
    another = {
        "type": "string",
        "pattern": f"^{_WORD.pattern}$",
        "maxLength": _LONGEST,
        "description": "A word of a later release: keep the event, and show it as other.",
    }
    return {"anyOf": [known, another]}


class _Open:
    """Makes of a list of literals one that grows."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(_read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _schema(handler(schema), handler)


OPEN = _Open()
"""Beside a list of literals: it grows. A match over it needs a last case."""


class OpenList(StrEnum):
    """A list that grows: a writer says only what stands in it, a reader bears more and shows that as "other".

    What a reader doesn't know keeps its value, so that who hands it on hands on what was said.
    """

    @property
    def is_known(self) -> bool:
        """Whether it stands in the list as this release has it."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _read(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Self:
        found = _read(value, handler, info)
        return found if isinstance(found, cls) else cls._of_later(found)

    @classmethod
    def as_kept(cls, word: str) -> Self:
        """The word of a row, which another release may have written; raises ValueError for what is no word."""
        if word in cls._value2member_map_:
            return cls(word)
        if not _is_word(word):
            raise ValueError(f"{word!r} is no word of a list")
        return cls._of_later(word)

    @classmethod
    def _of_later(cls, word: str) -> Self:
        unknown = str.__new__(cls, word)
        unknown._name_ = unknown._value_ = word
        return unknown

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(cls._read, handler(source))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _schema(handler(schema), handler)
