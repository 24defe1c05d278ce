"""The file that says who may do what on Kafka (`deploy/access.yaml`), read strictly.

`python -m services.cli.access.document` prints its JSON Schema, which lies beside the file for editors.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from contracts.topics import OWN
from services.cli.yaml_files import document_from, read_yaml_file

PROJECT = Path(__file__).resolve().parents[3]
SHIPPED = PROJECT / "deploy" / "access.yaml"

SERVICE_NAMES = ("registry", "scheduler", "notifier", "portal")
READABLE = tuple(topic.name for topic in OWN if "ministries" in topic.readers)
"""The topics that a ministry may be let read."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 48
"""As long as a ministry's code in the contracts."""


def _checked_name(name: str) -> str:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"a name has lower-case letters, digits and single hyphens, at most {_LONGEST_NAME} of them")
    return name


def _checked_code(code: str) -> str:
    _checked_name(code)
    if code.endswith("-dead"):
        # Its ingest topic would be the dead letters of another ministry.
        raise ValueError("a ministry's code doesn't end with -dead, as the topics of dead letters do")
    return code


def _checked_topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        if topic not in READABLE:
            raise ValueError(f"{topic!r} is no topic that ministries read; there is {', '.join(READABLE)}")
        if topics.count(topic) > 1:
            raise ValueError(f"{topic!r} stands here twice")
    return topics


Name = Annotated[str, AfterValidator(_checked_name)]
Code = Annotated[str, AfterValidator(_checked_code)]
_NAMES: dict[str, Any] = {"pattern": f"^{_NAME.pattern}$", "maxLength": _LONGEST_NAME}
"""The same for editors."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Quota(_Strict):
    """What a principal may use of each broker; what is left out has no bound."""

    produce_bytes_per_second: Annotated[int, Field(ge=1024)] | None = None
    consume_bytes_per_second: Annotated[int, Field(ge=1024)] | None = None
    request_percent: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Of one thread's time: 100 keeps one thread of the broker busy."""


class Entry(_Strict):
    """One of our services, or somebody who operates them: what it needs follows from its name and its kind."""

    quota: Quota = Quota()


class MinistryEntry(_Strict):
    """What a ministry may do."""

    read: Annotated[
        tuple[str, ...],
        AfterValidator(_checked_topics),
        Field(json_schema_extra={"items": {"enum": list(READABLE)}, "uniqueItems": True}),
    ] = ()
    report: bool = False
    """Whether it writes its ingest topic, and reads what of it was refused."""
    quota: Quota | None = None
    """In place of the quota that all ministries have."""

    @model_validator(mode="after")
    def _may_do_something(self) -> "MinistryEntry":
        if not self.read and not self.report:
            raise ValueError("it may do nothing: give it `read` or `report`, or take it out")
        return self


class AccessDocument(_Strict):
    """Who may do what on Kafka."""

    services: Annotated[dict[str, Entry], Field(json_schema_extra={"propertyNames": {"enum": list(SERVICE_NAMES)}})] = (
        Field(default_factory=dict)
    )
    operators: Annotated[dict[Name, Entry], Field(json_schema_extra={"propertyNames": _NAMES})] = Field(
        default_factory=dict
    )
    """Who looks at everything, and changes nothing: `pledgewire verify`, and people with a consumer."""
    ministry_quota: Quota = Quota()
    ministries: Annotated[
        dict[Code, MinistryEntry],
        Field(json_schema_extra={"propertyNames": _NAMES | {"not": {"pattern": "-dead$"}}}),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_somebody_s(self) -> "AccessDocument":
        if unknown := self.services.keys() - set(SERVICE_NAMES):
            raise ValueError(f"{unknown.pop()!r} is no service of ours; there is {', '.join(SERVICE_NAMES)}")
        everybody = [*SERVICE_NAMES, *self.operators, *self.ministries]
        if twice := {name for name in everybody if everybody.count(name) > 1}:
            raise ValueError(f"{twice.pop()!r} is two: services, operators and ministries have different names")
        return self

    def quota_of(self, code: str) -> Quota:
        """A ministry's own quota, or that of all."""
        return self.ministries[code].quota or self.ministry_quota


def read_access(path: Path = SHIPPED) -> AccessDocument:
    """What a file says; raises `YamlFileError`."""
    return read_yaml_file(path, AccessDocument)


def access_from(text: str, name: str) -> AccessDocument:
    """What a text says; `name` is for errors. Raises `YamlFileError`."""
    return document_from(text, name, AccessDocument)


def schema_text() -> str:
    """The file's JSON Schema, as it lies beside it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **AccessDocument.model_json_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
