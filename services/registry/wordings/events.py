"""Events that words hang on: "the next summit", "the Summit of the Americas", "its seventy-eighth session"."""

import re
from collections.abc import Sequence

from services.registry.wordings.cores import CoreReader
from services.registry.wordings.counts import Read
from services.registry.wordings.phrases import Event
from services.registry.wordings.tokens import Kind, Token

NAME_BEFORE, _NAME_BEHIND = 9, 9  # tokens
_BEFORE_A_NAME = frozenset({Kind.GLUE, Kind.THE, Kind.NEXT, Kind.COMING, Kind.THIS, Kind.ORDINAL, Kind.YEAR})
_NUMBERED_COP = re.compile(r"cop ?[0-9]{1,3}", re.IGNORECASE)
_COP = re.compile(r"cop", re.IGNORECASE)
_WITHIN_A_NAME = frozenset(
    {Kind.GLUE, Kind.THE, Kind.AND, Kind.THIS, Kind.BY, Kind.OVER, Kind.AT, Kind.ON}  # "para", "sur", "a"
)
_CONNECTORS = frozenset({"for", "on", "por", "para", "sobre", "pour", "sur"})
_IN_UNKNOWN_NAMES = frozenset({Kind.WORD, Kind.GLUE, Kind.THE, Kind.EVENT, Kind.MEASURE, Kind.HERE})
_NO_NAME = frozenset({Kind.BREAK, Kind.COMMA, Kind.YEAR, Kind.MONTH, Kind.NUMBER, Kind.WEEKDAY})


class EventReader(CoreReader):
    """Reads events at a place among the tokens."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        super().__init__(tokens)
        self.text = text

    def event(self, i: int, *, is_firm: bool) -> Read[Event]:
        """An event by its name; a weak tie needs more than "the dialogue" to make one of it."""
        first, i = i, self.skip(i)
        place = self._event_place(i)
        if place is None:
            return None
        before = self.tokens[i:place]
        if any(token.kind is Kind.THIS for token in before):
            return None  # "at this Summit": where it was said
        end, tail = self._name_behind(place)
        value = self.at(place).value if self.kind(place) is Kind.EVENT else "other"
        is_next = self.says_next(i, place)
        named = bool(tail) or any(
            (token.kind is Kind.WORD and token.is_capital) or token.kind is Kind.YEAR for token in before
        )
        numbered = any(token.kind is Kind.ORDINAL for token in before) or bool(
            _NUMBERED_COP.fullmatch(self.at(place).text)
        )
        if value == "verb" and place == first:
            return None  # "toward meeting the targets"
        if self.kind(place + 1) is Kind.MEASURE:
            return None  # "at ministerial level"
        if value == "body" and not (is_next or numbered):
            return None  # "the G20 agreed"
        if value in {"other", "verb"} and not (is_firm or is_next or named or numbered):
            return None
        if value in {"summit", "own-summit"} and not named and not numbered:
            return Event("next-summit" if is_next else "that-summit", None), end
        return Event("named", self._text(i, end)), end

    def unknown_event(self, i: int) -> Read[Event]:
        """Whatever a term runs from, by its words: "within 100 days of taking office"."""
        i = self.skip(i)
        end = i
        while end - i < _NAME_BEHIND and self.kind(end) in _IN_UNKNOWN_NAMES:
            end += 1
        said = any(token.kind is Kind.WORD for token in self.tokens[i:end])
        return (Event("named", self._text(i, end)), end) if said else None

    def says_next(self, i: int, j: int) -> bool:
        """Whether the words between two places speak of the next or coming one."""
        return any(token.kind in {Kind.NEXT, Kind.COMING} for token in self.tokens[i:j])

    def _event_place(self, i: int) -> int | None:
        body: int | None = None
        for k in range(i, i + NAME_BEFORE):
            token = self.at(k)
            if token.kind is Kind.EVENT and token.value == "body" and self.kind(k + 1) is not Kind.EVENT:
                body = k  # "the G20 Leaders' Summit" is the summit
                continue
            if token.kind is Kind.EVENT or _NUMBERED_COP.fullmatch(token.text):
                following = self.kind(k + 1) is Kind.EVENT
                return k + 1 if following else k
            if token.kind not in _BEFORE_A_NAME and not (token.kind in {Kind.WORD, Kind.MEASURE} and token.is_capital):
                return body
        return body

    def _name_behind(self, place: int) -> tuple[int, list[Token]]:
        """The end of a name that goes on behind its noun: "Summit of the Americas", "NALS 2022"."""
        end = place + 1
        tail: list[Token] = []
        for k in range(place + 1, place + 1 + _NAME_BEHIND):
            token = self.at(k)
            is_of = k == place + 2 and self.at(place + 1).value == "of"  # "the summit of 2025"
            if token.kind is Kind.YEAR and (k == place + 1 or is_of):
                return k + 1, [token]
            if token.kind is Kind.NUMBER and k == place + 1 and _COP.fullmatch(self.at(place).text):
                return k + 1, [token]
            if token.kind is Kind.AND and self.kind(self.skip(k + 1)) is Kind.EVENT:
                break  # another event
            if token.kind is Kind.EVENT:
                end = k + 1
            elif token.is_capital and token.kind not in _NO_NAME:
                end, tail = k + 1, [*tail, token]
            elif self._is_complement(place, k):
                return k + 1, [token]
            elif token.kind not in _WITHIN_A_NAME and token.text not in _CONNECTORS:
                break
        return end, tail

    def _is_complement(self, place: int, k: int) -> bool:
        """Whether a small word belongs to the name of a noun with a capital: "Sommet pour la démocratie"."""
        between = self.tokens[place + 1 : k]
        return (
            self.at(place).is_capital
            and not self.at(place).text.isupper()
            and self.kind(k) is Kind.WORD
            and self.at(k).text not in _CONNECTORS
            and any(token.text in _CONNECTORS for token in between)
            and len(between) < _NAME_BEHIND // 2
        )

    def _text(self, i: int, j: int) -> str:
        return self.text[self.at(self.skip(i)).start : self.at(j - 1).end]
