"""What the pages for people hold: their blocks, the commands in these, and where their links lead."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, groupby, pairwise, takewhile
from pathlib import Path
from textwrap import dedent

from tests.deploy.settings_read import PROJECT

READER_PAGES = (
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    PROJECT / "examples" / "README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted((PROJECT / "docs" / "how-to").glob("*.md")),
    *sorted((PROJECT / "docs" / "runbooks").glob("*.md")),
)
"""Pages that say what to type."""
PAGES = (
    *READER_PAGES,
    PROJECT / "CHANGELOG.md",
    PROJECT / "contracts" / "README.md",
    *sorted((PROJECT / "docs" / "decisions").glob("*.md")),
)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"[A-Z_]+=.*", re.DOTALL)
_END = re.compile(r"[;&|\n]+")


@dataclass(frozen=True)
class Block:
    """One fenced block: the page it stands on, its language and its text."""

    page: Path
    language: str
    text: str


def blocks(language: str, *pages: Path) -> Iterator[Block]:
    """The fenced blocks of a language, on all pages that say what to type unless some are named."""
    for page in pages or READER_PAGES:
        for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
            if found["language"] == language:
                yield Block(page, language, dedent(found["text"]))


@dataclass(frozen=True)
class Command:
    """One command of a shell block, as the shell would split it."""

    block: Block
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.block.page.stem}: {' '.join(self.words)[:70]}"

    def values(self, option: str) -> list[str]:
        """What follows an option, each time that it is given."""
        return [value for word, value in pairwise(self.words) if word == option]


def commands(program: str) -> list[Command]:
    """Every command of a program on the pages, without where its output goes."""
    return [Command(block, words) for block in blocks("sh") for words in _split(block) if words[0] == program]


def _split(block: Block) -> Iterator[tuple[str, ...]]:
    text = re.sub(r"(^|\s)# .*$", "", block.text.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|\n<>")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    for ends, command in groupby(lexer, lambda word: bool(_END.fullmatch(word))):
        if not ends:
            behind_settings = dropwhile(_SETTING.fullmatch, command)
            if words := tuple(takewhile(lambda word: word not in {"<", ">"}, behind_settings)):
                yield words


def anchors(file: Path) -> set[str]:
    """The names by which a link reaches a heading of a page, or a line of another file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".md":
        return {f"L{number}" for number in range(1, len(text.splitlines()) + 1)}
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
