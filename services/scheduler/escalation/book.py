"""The escalation book in YAML, read strictly: the shipped one, or an operator's own."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.bounded_yaml import load
from services.scheduler.escalation.rules.book import EscalationBook

SHIPPED = Path(__file__).parent / "escalation.yaml"


class EscalationBookError(ValueError):
    """The file does not say who is to hear; the text says where and why."""


def read_escalation_book(path: Path = SHIPPED) -> EscalationBook:
    """The book in a YAML file; raises `EscalationBookError`."""
    try:
        loaded = load(path.read_text(encoding="utf-8"))
        return EscalationBook.model_validate_json(json.dumps(loaded))
    except OSError as error:
        raise EscalationBookError(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'the file'}: {f['msg']}" for f in error.errors())
        raise EscalationBookError(f"{path}: {faults}") from error
    except (UnicodeDecodeError, TypeError, ValueError) as error:
        raise EscalationBookError(f"{path}: {' '.join(str(error).split())}") from error


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
