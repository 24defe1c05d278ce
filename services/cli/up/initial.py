"""`pledgewire init`: a few questions, or flags in their place, and a file in which everything else is explained."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import typer

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from services.cli.service_client import ASKED_WRONGLY
from services.cli.up.settings import settings_of
from services.cli.up.settings_text import settings_text
from services.cli.up.state_folder import InstanceFolder


@dataclass(frozen=True)
class Answers:
    """What an operator says at first; None for what nobody has said."""

    public_url: str | None = None
    tls: bool | None = None
    smtp_host: str | None = None
    smtp_username: str | None = None
    smtp_password: str | None = None
    smtp_from: str | None = None

    def document(self) -> dict[str, dict[str, Any]]:
        """The settings that they make, by section and name."""
        said: dict[str, dict[str, Any]] = {
            "portal": {"public_url": self.public_url},
            "tls": {"enabled": self.tls},
            "smtp": {
                "host": self.smtp_host,
                "username": self.smtp_username,
                "password": self.smtp_password,
                "sender": self.smtp_from,
            },
        }
        # What is as it would be anyway stays a comment.
        return {section: {name: one for name, one in values.items() if one} for section, values in said.items()}


def write_settings(folder: InstanceFolder, given: Answers, *, ask: bool, force: bool, show: bool) -> None:
    """Write the file, or print it; raises EmbeddedError for what can't be, and where there is one."""
    if show:
        typer.echo(settings_text(given.document()), nl=False)
        return
    if folder.settings.exists() and not force:
        raise EmbeddedError(
            f"{folder.settings} is there already", "change it there, or write over it with --force", ASKED_WRONGLY
        )
    answers = asked(given, _prompt) if ask and sys.stdin.isatty() else given
    text = settings_text(answers.document())
    settings_of(text, "what was answered")
    folder.make()
    write_private(folder.settings, text)
    typer.echo(f"Wrote {folder.settings}; `pledgewire up` starts with it")


Ask = Callable[[str, bool], str]
"""Puts a question to the operator; the second says whether the answer is not to be seen. Empty for the default."""


def asked(given: Answers, ask: Ask) -> Answers:
    """The answers, with those that were not given asked for: six questions at most, fewer where one settles another."""
    answers = given
    for one in fields(Answers):
        if getattr(answers, one.name) is None and (question := _question(one.name, answers)):
            text = ask(question, one.name == "smtp_password")
            value: Any = text.lower() in ("y", "yes") if one.name == "tls" else text
            answers = replace(answers, **{one.name: value})
    return answers


def _question(name: str, answers: Answers) -> str | None:
    """What to ask; None where the answers before leave nothing to ask."""
    match name:
        case "public_url":
            return "Where do readers reach the portal, as https://pledgewire.example.org? Empty: on this machine alone"
        case "tls" if (answers.public_url or "").startswith("https:"):
            return "Is HTTPS to be spoken here, since there is no proxy that does (y/n)?"
        case "smtp_host":
            return "Which mail server takes our mails, as smtp.example.org? Empty: no mail"
        case "smtp_username" if answers.smtp_host:
            return "Who logs in there? Empty: nobody"
        case "smtp_password" if answers.smtp_host and answers.smtp_username:
            return "With which password?"
        case "smtp_from" if answers.smtp_host:
            return "From whom do mails come, as Pledgewire <pledgewire@example.org>?"
        case _:
            return None


def _prompt(question: str, hidden: bool) -> str:
    answer: str = typer.prompt(question, default="", show_default=False, hide_input=hidden, err=True)
    return answer.strip()
