"""A language's words for time, as data: the shape that every language module fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.vocabulary import LanguageTag
from services.registry.wordings.tense import TenseWords
from services.registry.wordings.tense_words import TENSE_WORDS
from services.registry.wordings.tokens import Kind, Trie, trie_of

Phrases = Mapping[Kind, Mapping[Any, str]]
"""For each kind, its values; for each value the phrases that say it, between bars."""


@dataclass(frozen=True)
class Lexicon:
    """What is known of a language."""

    language: LanguageTag
    trie: Trie
    day_first: bool | None
    """Whether "12/10/2023" begins with the day; None where people write it both ways."""
    tense: TenseWords


def lexicon_of(language: LanguageTag, phrases: Phrases, *, day_first: bool | None) -> Lexicon:
    """A lexicon of its phrases; a phrase may stand under one kind only, or ValueError is raised."""
    entries: dict[str, tuple[Kind, Any]] = {}
    for kind, values in phrases.items():
        for value, text in values.items():
            for phrase in text.split("|"):
                words = " ".join(phrase.split())
                if entries.setdefault(words, (kind, value)) != (kind, value):
                    raise ValueError(f"{words!r} has two meanings in {language}")
    return Lexicon(language, trie_of(entries), day_first, TENSE_WORDS[language])


def compounds(tens: Mapping[int, str], units: Mapping[int, str], joint: str) -> dict[int, str]:
    """Names such as "twenty-four" of the names of tens and units, each with all its spellings."""
    return {
        ten + unit: "|".join(f"{one}{joint}{other}" for one in high.split("|") for other in low.split("|"))
        for ten, high in tens.items()
        for unit, low in units.items()
    }


def numbered(names: str, first: int = 0) -> dict[int, str]:
    """Names that are separated by spaces, counted from `first`; a bar gives a number two names."""
    return dict(enumerate(names.split(), first))


def years_in_words(prefix: str, numbers: Mapping[int, str]) -> dict[int, str]:
    """The years 2001 to 2099 as laws write them: "two thousand thirty"."""
    return {
        2000 + number: "|".join(f"{start}{name}" for start in prefix.split("|") for name in names.split("|"))
        for number, names in numbers.items()
        if 0 < number < 100
    }
