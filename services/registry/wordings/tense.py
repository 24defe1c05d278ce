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
    CALLED_OFF = "called-off"  # whenever it was to be: "postponed the visit scheduled for June"
    FAILED = "failed"  # in the past too, and so is the term that it speaks of: "failed to report by 31 December"


@dataclass(frozen=True)
class TenseWords:
    """The verbs of a language. Words are without case and accents; endings have their accents, as only these tell
    "adoptó" from "adopto"."""

    past: frozenset[str]
    """Verbs of what has been, and those by which people recall it: "reaffirm", "recalling"."""
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
    was: frozenset[str]
    """Words that put into the past what is to come: "was scheduled", "estaba previsto"."""
    managed: frozenset[str]
    """Verbs by which what the infinitive says came about: "han podido hacer"."""
    called_off: frozenset[str]
    """Verbs by which what was planned is not to be when it was."""
    opens_clause: frozenset[str]
    """Words behind which a new clause begins: "that", "where"."""
    verbs_before_infinitives: tuple[str, ...] = ()
    """How verbs end that take an infinitive without a word between."""
    between: frozenset[str] = frozenset()
    """Pronouns that stand between a word and its infinitive: "de nous réunir"."""
    auxiliaries: frozenset[str] = frozenset()
    participle_endings: tuple[str, ...] = ()
    """How a participle ends that is one only behind an auxiliary: "est réuni", "ayant convenu"."""
    noun_endings: tuple[str, ...] = ()
    """Endings that nouns share with participles: "collectivités"; `participles` are those words that are none."""
    participles: frozenset[str] = frozenset()
    infinitive_opens: tuple[str, ...] = ()
    """How an infinitive ends that opens a sentence, as a plan's headings do: "Publier le rapport en juin"."""
    reflexive_past: tuple[str, ...] = ()
    """How a past tense ends behind "se" where its accent is missing: "se reunio"."""


def tense_of(tokens: Sequence[Token], start: int, end: int, words: TenseWords) -> Tense | None:
    """The tense of the verb that governs the tokens from `start` to `end`; None where no verb tells.

    Behind a comma, and where a sentence opens, the verb follows ("On 5 June, Ministers met"); else it precedes.
    """
    if _is_planned(tokens, start, words):
        reach = range(start - 1, max(start - 1 - _REACH, -1), -1)
        is_off = any(folded(tokens[k].text) in words.called_off for k in reach)
        return Tense.CALLED_OFF if is_off else Tense.AHEAD
    if start > 1 and tokens[start - 1].kind is Kind.COMMA:  # "a invité, mercredi, à redoubler"
        said = _verb(tokens, start - 2, words, infinitives=False)
        if said is Tense.PAST:
            return said
    opens = start == 0 or tokens[start - 1].kind is Kind.COMMA or _ends_sentence(tokens[start - 1])
    opens = opens or folded(tokens[start - 1].text) in words.opens_clause
    before = _first(tokens, range(start - 1, max(start - 1 - _REACH, -1), -1), words)
    reach = range(end, min(end + (_REACH if opens else _REACH_BEHIND), len(tokens)))
    # Behind days within their clause an infinitive says what for: "the meeting on 5 June to discuss".
    behind = _first(tokens, reach, words, infinitives=opens)
    return (behind or before) if opens else (before or behind)


def _is_planned(tokens: Sequence[Token], start: int, words: TenseWords) -> bool:
    """Whether the words that tie to the days say themselves that they lie ahead: "prevista para este verano"."""
    says = any(folded(word) in words.ahead for word in tokens[start].text.split())
    return says and not (start and folded(tokens[start - 1].text) in words.was)


def _first(
    tokens: Sequence[Token], places: Iterable[int], words: TenseWords, *, infinitives: bool = True
) -> Tense | None:
    for k in places:
        if _ends_sentence(tokens[k]):
            return None
        if found := _verb(tokens, k, words, infinitives=infinitives):
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


def _governing(tokens: Sequence[Token], to: int, words: TenseWords) -> range:
    """The places at which a verb would stand that puts an infinitive's plan into the past."""
    is_plan = to > 0 and folded(tokens[to - 1].text) in words.ahead
    return range(max(to - 1 - is_plan, 0), to)


def _infinitive(tokens: Sequence[Token], k: int, words: TenseWords) -> Tense | None:
    word = tokens[k].text.casefold()
    if k and word.endswith(words.infinitive_endings):
        to = k - 2 if k > 1 and folded(tokens[k - 1].text) in words.between else k - 1
        if _leads_to_infinitive(tokens[to], words):
            if folded(tokens[to].text) in words.managed or folded(tokens[to - 1].text) in words.managed:
                is_no = any(tokens[n].kind is Kind.NOT for n in range(max(to - _NEAR, 0), to))
                return Tense.FAILED if is_no else Tense.PAST
            if any(folded(tokens[one].text) in words.was for one in _governing(tokens, to, words)):
                return Tense.PAST  # "was scheduled to end"
            failed = any(folded(one.text) in words.failed for one in tokens[max(k - _NEAR, 0) : k])
            return Tense.FAILED if failed else Tense.AHEAD
    opens = k == 0 or _ends_sentence(tokens[k - 1])
    return Tense.AHEAD if opens and words.infinitive_opens and word.endswith(words.infinitive_opens) else None


def _verb(tokens: Sequence[Token], k: int, words: TenseWords, *, infinitives: bool) -> Tense | None:
    token = tokens[k]
    if token.kind is not Kind.WORD or (token.is_capital and k > 0 and not _ends_sentence(tokens[k - 1])):
        return None  # a capital within a sentence begins a name: "United", "Estados"
    word, bare = token.text.casefold(), folded(token.text)
    if bare in words.ahead:
        return Tense.PAST if k and folded(tokens[k - 1].text) in words.was else Tense.AHEAD
    is_noun = word.endswith(words.noun_endings) and word not in words.participles
    if (bare in words.neither or is_noun) and bare not in words.past:
        return None
    if infinitives and bare not in words.past and (found := _infinitive(tokens, k, words)):
        return found
    if bare not in words.past and word.endswith(words.ahead_endings):
        return Tense.AHEAD
    before = [folded(one.text) for one in tokens[max(k - _NEAR, 0) : k]]
    is_past = bare in words.past or word.endswith(words.past_endings)
    is_past = is_past or (bare.endswith(words.participle_endings) and any(one in words.auxiliaries for one in before))
    is_past = is_past or (word.endswith(words.reflexive_past) and before[-1:] == ["se"])
    if not is_past:
        return None
    return Tense.AHEAD if any(one in words.be for one in before) else Tense.PAST
