"""Who hears of what is overdue, in which order and after how many days: the escalation as data, read strictly."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.vocabulary import Contract, Slug, Text

SHIPPED = Path(__file__).parent / "escalation.yaml"

Days = Annotated[int, Field(ge=1, le=3660)]
"""Calendar days, 1 to 3,660: what is to come is to come in somebody's time of office."""


class EscalationBookError(ValueError):
    """The file does not say who is to hear; the text says where and why."""


class EscalationLevel(Contract):
    """Somebody who hears when nobody before has owned it."""

    level: Slug
    title: Text
    wait: Days
    """Days after the milestone's last day for the first level, after the level before has heard for the others."""


class EscalationBook(Contract):
    """The levels from the first to the highest, and the waits beside them."""

    levels: Annotated[tuple[EscalationLevel, ...], Field(min_length=1, max_length=20)]
    repeat_days: Days
    """Days after which the highest level hears again."""
    evidence_within_days: Days
    """Days in which evidence has to follow an acknowledgement, and more of it the evidence before."""

    @field_validator("levels")
    @classmethod
    def _each_once(cls, levels: tuple[EscalationLevel, ...]) -> tuple[EscalationLevel, ...]:
        names = [level.level for level in levels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a level stands here twice: {', '.join(twice)}")
        return levels

    @property
    def digest(self) -> str:
        """Tells one book from another: what was reckoned with another is to be reckoned again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def read_escalation_book(path: Path = SHIPPED) -> EscalationBook:
    """The book in a YAML file; raises `EscalationBookError`."""
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506  a safe loader
        return EscalationBook.model_validate_json(json.dumps(loaded))
    except OSError as error:
        raise EscalationBookError(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'the file'}: {f['msg']}" for f in error.errors())
        raise EscalationBookError(f"{path}: {faults}") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError, RecursionError) as error:
        raise EscalationBookError(f"{path}: {' '.join(str(error).split())}") from error


class _StrictLoader(yaml.SafeLoader):
    """YAML lets the last of two equal keys win; a wait that is written twice is a slip."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the safe loader has it, each key once."""
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"{twice.pop()!r} stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _readable(path: Path | None) -> Path | None:
    if path:
        read_escalation_book(path)
    return path


class EscalationSettings(BaseSettings):
    """Which book holds; one that can't be read is refused with the other settings, at the start."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_ESCALATION_")

    file: Annotated[Path | None, AfterValidator(_readable)] = None

    def book(self) -> EscalationBook:
        """The file's, or the shipped one."""
        return read_escalation_book(self.file or SHIPPED)
