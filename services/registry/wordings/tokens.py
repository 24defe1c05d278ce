"""Words into tokens: what looks alike is made alike, numbers and dates are recognised, phrases are looked up."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any


class Kind(StrEnum):
    """What a word or a phrase does in a time expression."""

    # How the work is tied to the days.
    BY = auto()
    BEFORE = auto()
    IN = auto()
    AT = auto()  # ties only what is clearly time: "a finales de", "au printemps", "at the summit"
    ON = auto()
    DURING = auto()
    OVER = auto()
    FROM = auto()
    AFTER = auto()
    WITHIN = auto()
    UNTIL = auto()
    BETWEEN = auto()
    NOT = auto()
    EVERY = auto()
    SINCE = auto()  # what lies behind us is no deadline
    # What the days are.
    YEAR = auto()
    NUMBER = auto()
    ORDINAL = auto()
    DATE = auto()  # (year, month, day)
    NUMERIC = auto()  # (first, second, year): day and month in some order
    YEAR_MONTH = auto()
    YEARS = auto()  # (first, last): "2024-25"
    DECADE = auto()
    MONTH = auto()
    WEEKDAY = auto()  # 0 is Monday
    TOMORROW = auto()  # so many days ahead
    SEASON = auto()
    QUARTER = auto()
    HALF = auto()
    PART = auto()  # early, mid, late, end: with a deadline, the end is a point ("by the end of")
    UNIT = auto()  # (unit, plural?)
    FISCAL = auto()
    FEAST = auto()  # (month, day), or nothing where it moves from year to year
    SAME_TIME = auto()  # "this time" of another year, month or week
    THIS = auto()
    NEXT = auto()
    COMING = auto()
    LAST = auto()
    LATER = auto()
    FEW = auto()
    ONWARD = auto()
    OFTEN = auto()  # months between two times
    AND_A_HALF = auto()
    TRAILING = auto()  # behind its days: "by 2030 or earlier", "in 2026 at the earliest"
    VAGUE = auto()
    # What is not a date.
    EVENT = auto()  # summit, own-summit, other
    HERE = auto()  # the statement itself
    MEASURE = auto()  # after a number: it is no year
    MINIMUM = auto()
    YEARLY = auto()  # of which each year has its own: "el presupuesto para 2025"
    DEADLINE = auto()  # the noun
    MOST = auto()  # compares with the years behind: "the highest in ten years"
    # What holds it together.
    GLUE = auto()
    THE = auto()
    AND = auto()
    TO = auto()
    COMMA = auto()
    WORD = auto()
    BREAK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word, or a phrase of the lexicon; `start` and `end` are places in the text of `plain`."""

    kind: Kind
    value: Any
    text: str
    start: int
    end: int

    @property
    def is_capital(self) -> bool:
        """Whether it is written like a name."""
        return self.text[:1].isupper()


Trie = dict[str, Any]
"""Words under words; the entry of a phrase that ends here stands under the empty word."""

_APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʼ′´`＇", "'"))
_QUOTES = frozenset('"«»“”„')
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))

_PIECES = re.compile(
    r"""
    (?P<code>[$€£§\#]\s?[0-9][0-9.,]*)
  | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9\w-]))
  | (?P<numeric>[0-9]{1,2}(?P<sep>[/.-])[0-9]{1,2}(?P=sep)[0-9]{4}(?![0-9\w/]))
  | (?P<quantity>[0-9]{1,3}(?:[,.][0-9]{3})+(?![0-9\w]) | (?![0-9]{1,2},(?:19|20|21)[0-9]{2}\b)[0-9]+[.,][0-9]+)
  | (?P<pair>(?:19|20|21)[0-9]{2}[-/][0-9]{2}(?![0-9\w/-]))
  | (?P<decade>(?:19|20|21)[0-9]0'?[sS](?!\w))
  | (?P<hour>(?:[0-9]{1,2}(?:[:.][0-9]{2})?\s?[ap]\.?m\b\.?(?!\w) | [0-9]{1,2}[hH:][0-9]{2}(?!\w)
      | (?:[0-9]{2}|[03-9])[hH](?!\w)))  # "1h" is a half as well
  | (?P<ordinal>[0-9]{1,3}\.?(?i:st|nd|rd|th|er|ère|re|ème|e|do|ro|to|vo|mo|no|o|a|°)(?:\.(?=\sde\s))?(?!\w))
  | (?P<fiscal>(?i:fy|af|ef)(?=(?:19|20|21)?[0-9]{2}(?!\w)))
  | (?P<number>[0-9]+(?![^\W_]))
  | (?P<word>[^\W_]+'?)
  | (?P<mark>[^\s])
    """,
    re.VERBOSE,
)


def plain(text: str) -> str:
    """The text without what can't be seen, with one kind of apostrophe, dash and space; case and accents stay."""
    composed = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in composed if unicodedata.category(c) not in {"Cf", "Cs", "Co"})
    return " ".join(seen.translate(_APOSTROPHES).translate(_DASHES).split())


_OTHER_WORD = frozenset({"dès", "clôturé"})
"""Words that without their accent are another one: "dès 2026", "des écoles"."""


def folded(word: str) -> str:
    """The word without case and accents."""
    if word.casefold() in _OTHER_WORD:
        return word.casefold()
    bare = "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))
    return bare.removesuffix("'") if len(bare) > 2 else bare


def trie_of(phrases: Mapping[str, tuple[Kind, Any]]) -> Trie:
    """The phrases of a lexicon by their words."""
    root: Trie = {}
    for phrase, entry in phrases.items():
        node = root
        for word, *_ in _pieces(plain(phrase)):
            node = node.setdefault(word, {})
        node[""] = entry
    return root


def tokens_of(text: str, lexicon: Trie) -> list[Token]:
    """The tokens of a plain text, the longest phrase first; in time linear in its length."""
    pieces = list(_pieces(text))
    found = []
    i = 0
    while i < len(pieces):
        entry, length = _longest(pieces, i, lexicon)
        word, own, start, end = pieces[i]
        if entry is not None:
            end = pieces[i + length - 1][3]
            found.append(Token(entry[0], entry[1], text[start:end], start, end))
        else:
            kind, value = own or (Kind.WORD, word)
            found.append(Token(kind, value, text[start:end], start, end))
        i += max(length, 1)
    return found


Piece = tuple[str, tuple[Kind, Any] | None, int, int]


def _longest(pieces: list[Piece], i: int, lexicon: Trie) -> tuple[tuple[Kind, Any] | None, int]:
    node, entry, length = lexicon, None, 0
    for j in range(i, len(pieces)):
        found = node.get(pieces[j][0])
        if found is None:
            break
        node = found
        if "" in node:
            entry, length = node[""], j - i + 1
    return entry, length


def _pieces(text: str) -> Iterator[Piece]:
    for match in _PIECES.finditer(text):
        name, piece = str(match.lastgroup), match.group()
        if name == "mark" and piece == "-" and not _between_digits(text, match.start()):
            continue  # "mid-century", "twenty-four"
        if name == "hour" or piece in _QUOTES:
            continue  # neither says a day, nor parts what says one: "prevista para «este verano»"
        if word := folded(piece):  # an accent alone is no word
            yield word, _own(name, piece), match.start(), match.end()


def _between_digits(text: str, at: int) -> bool:
    before, after = text[:at].rstrip()[-1:] if at < 64 else text[at - 64 : at].rstrip()[-1:], text[at + 1 : at + 64]
    return before.isdigit() and after.lstrip()[:1].isdigit()


def _own(name: str, piece: str) -> tuple[Kind, Any] | None:
    """What a piece is by its form alone; None for a word."""
    match name:
        case "date":
            year, month, day = map(int, piece.split("-"))
            return Kind.DATE, (year, month, day)
        case "numeric":
            first, second, year = map(int, re.split(r"[/.-]", piece))
            return Kind.NUMERIC, (first, second, year)
        case "pair":
            return _pair(int(piece[:4]), int(piece[5:]))
        case "decade":
            return Kind.DECADE, int(piece[:4])
        case "ordinal":
            return Kind.ORDINAL, int(re.sub(r"[^0-9]", "", piece))
        case "number" if len(piece) == 4 and 1900 <= int(piece) <= 2199:
            return Kind.YEAR, int(piece)
        case "number" if len(piece) <= 4:
            return Kind.NUMBER, int(piece)
        case "mark":
            return {",": Kind.COMMA, "-": Kind.TO}.get(piece, Kind.BREAK), piece
        case "quantity" | "code" | "number":
            return Kind.WORD, piece
        case _:
            return None


def _pair(year: int, two: int) -> tuple[Kind, Any]:
    if two == (year + 1) % 100 or two > 12:
        return (Kind.YEARS, (year, year - year % 100 + two)) if two > year % 100 else (Kind.WORD, "")
    return (Kind.YEAR_MONTH, (year, two)) if two else (Kind.WORD, "")
