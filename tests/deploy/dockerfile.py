"""A Dockerfile as its builder reads it: stages of instructions, as far as ours uses the language."""

import re
import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Instruction:
    """One instruction; `user` is who does it, by what the stage has said before."""

    name: str
    value: str
    user: str

    @property
    def flags(self) -> dict[str, str]:
        """`--chown=…` and the like, by name."""
        found = re.match(r"(?:--\S+\s+)*", self.value)
        words = found.group().split() if found else []
        return {name: value for name, _, value in (word.removeprefix("--").partition("=") for word in words)}

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of a RUN."""
        commands: list[list[str]] = [[]]
        for word in shlex.split(self.value):
            if word in ("&&", ";", "||", "|"):
                commands.append([])
            else:
                commands[-1].append(word)
        return commands


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, FROM first. Raises ValueError for what is not understood here."""
    if re.search(r"^#\s*(escape|syntax)\s*=|<<-?[\"']?\w", text, re.MULTILINE | re.IGNORECASE):
        raise ValueError("directives and here-documents are not read")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[list[Instruction]] = []
    user = ""
    for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, value = line.strip().partition(" ")
        name, value = name.upper(), value.strip()
        if name == "FROM":
            found.append([])
            user = "root"  # that of the images that we begin with
        elif name == "USER":
            user = value
        if found:
            found[-1].append(Instruction(name, value, user))
    return found
