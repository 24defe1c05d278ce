"""Whether a sentence tells of what has been or of what is to come: the verb nearest to its time words decides.

Only as much grammar as days without a year, and days that have begun, need: "launched on May 18" sets no deadline,
"will be launched on May 18" does. A language gives its verbs as data (`tense_words`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.registry.wordings.tokens import Kind, Token, folded

_REACH = 20  # tokens before the expression, or behind it where it opens its clause
_REACH_BEHIND = 6  # tokens behind an expression that stands within its clause: "Ministers on 5 June adopted"
_SENTENCE_ENDS = frozenset(".;:!?")
_NEAR = 2  # tokens between "be" and its participle: "be formally adopted"


class Tense(StrEnum):
    """What the verb says of the time."""

    PAST = "past"
    AHEAD = "ahead"


@dataclass(frozen=True)
class TenseWords:
    """The verbs of a language. Words are without case and accents; endings have their accents, as only these tell
    "adoptó" from "adopto"."""

    past: frozenset[str]
    past_endings: tuple[str, ...]
    ahead: frozenset[str]
    ahead_endings: tuple[str, ...]
    neither: frozenset[str]
    """Words with such an ending that are no such verbs: "indeed", "santé", "mercado"."""
    be: frozenset[str]
    """Words that make of the participle behind them what is to come: "to be adopted", "será adoptada"."""
    before_infinitives: frozenset[str]
    infinitive_endings: tuple[str, ...]
    """How an infinitive ends behind one of those words; the empty ending is any word."""
    failed: frozenset[str]
    """Words by which what the infinitive says did not come about: "failed to agree"."""
    verbs_before_infinitives: tuple[str, ...] = ()
    """How verbs end that take an infinitive without a word between."""


def tense_of(tokens: Sequence[Token], start: int, end: int, words: TenseWords) -> Tense | None:
    """The tense of the verb that governs the tokens from `start` to `end`; None where no verb tells.

    Behind a comma, and where a sentence opens, the verb follows ("On 5 June, Ministers met"); else it precedes.
    """
    opens = start == 0 or tokens[start - 1].kind is Kind.COMMA or _ends_sentence(tokens[start - 1])
    before = _first(tokens, range(start - 1, max(start - 1 - _REACH, -1), -1), words)
    behind = _first(tokens, range(end, min(end + (_REACH if opens else _REACH_BEHIND), len(tokens))), words)
    return (behind or before) if opens else (before or behind)


def _first(tokens: Sequence[Token], places: Iterable[int], words: TenseWords) -> Tense | None:
    for k in places:
        if _ends_sentence(tokens[k]):
            return None
        if found := _verb(tokens, k, words):
            return found
    return None


def _ends_sentence(token: Token) -> bool:
    return token.kind is Kind.BREAK and token.text in _SENTENCE_ENDS


def _leads_to_infinitive(token: Token, words: TenseWords) -> bool:
    """Whether an infinitive may stand behind it: "to meet", "acordaron celebrar"."""
    is_verb = token.kind is Kind.WORD and bool(words.verbs_before_infinitives)
    return folded(token.text) in words.before_infinitives or (
        is_verb and token.text.casefold().endswith(words.verbs_before_infinitives)
    )


def _verb(tokens: Sequence[Token], k: int, words: TenseWords) -> Tense | None:
    token = tokens[k]
    if token.kind is not Kind.WORD or (token.is_capital and k > 0 and not _ends_sentence(tokens[k - 1])):
        return None  # a capital within a sentence begins a name: "United", "Estados"
    word, bare = token.text.casefold(), folded(token.text)
    if bare in words.ahead:
        return Tense.AHEAD
    if bare not in words.past and bare in words.neither:
        return None
    if k and word.endswith(words.infinitive_endings) and _leads_to_infinitive(tokens[k - 1], words):
        failed = any(folded(one.text) in words.failed for one in tokens[max(k - _NEAR, 0) : k])
        return Tense.PAST if failed else Tense.AHEAD
    if word.endswith(words.ahead_endings):
        return Tense.AHEAD
    if bare in words.past or word.endswith(words.past_endings):
        passive = any(folded(one.text) in words.be for one in tokens[max(k - _NEAR, 0) : k])
        return Tense.AHEAD if passive else Tense.PAST
    return None
