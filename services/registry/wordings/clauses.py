"""What words further before an expression make of it: "will not open until 2026", "until service resumes in June"."""

from collections.abc import Sequence
from dataclasses import replace

from services.registry.wordings.phrases import Expression, Tie
from services.registry.wordings.tokens import Kind, Token, folded

_REACH = 16  # tokens
_NEAR = 3  # tokens before "not" where a condition opens
_ONLY = frozenset({"only", "solo", "solamente", "unicamente", "seulement", "uniquement"})
_CONDITIONS = frozenset({"if", "unless", "si", "s'"})
_WITHIN_A_CLAUSE = 8  # tokens between "until" and the days of its clause
_WAITING = frozenset({"wait", "esperar", "aguardar", "attendre"})
"""Whoever can't wait until some day says that they won't, and not from when."""


def in_their_clauses(expressions: Sequence[Expression], tokens: Sequence[Token]) -> list[Expression]:
    """The expressions as "until" and "not" before them in their clauses have them."""
    found: list[Expression] = []
    for one in expressions:
        bounded = _bounded(one, tokens, found[-1].end if found else 0)
        found.append(_negated(bounded, tokens))
    return found


def _bounded(one: Expression, tokens: Sequence[Token], before: int) -> Expression:
    if one.core is None or one.tie not in {Tie.ON, Tie.IN, Tie.BARE}:
        return one
    for k in range(one.start - 1, max(one.start - 1 - _WITHIN_A_CLAUSE, before - 1), -1):
        if tokens[k].kind in {Kind.BREAK, Kind.COMMA, Kind.AND}:
            return one
        if tokens[k].kind is Kind.UNTIL and tokens[k].value == "clause":
            return replace(one, tie=Tie.UNTIL, start=k)
    return one


def _negated(one: Expression, tokens: Sequence[Token]) -> Expression:
    if one.tie not in {Tie.UNTIL, Tie.BEFORE} or tokens[one.start].kind not in {Kind.UNTIL, Kind.BEFORE}:
        return one
    waits = False
    for k in range(one.start - 1, max(one.start - 1 - _REACH, -1), -1):
        if tokens[k].kind in {Kind.BREAK, Kind.COMMA}:
            return one
        waits = waits or folded(tokens[k].text) in _WAITING
        if tokens[k].kind is Kind.NOT:
            is_only = folded(tokens[k + 1].text) in _ONLY
            is_condition = any(folded(tokens[n].text) in _CONDITIONS for n in range(max(k - _NEAR, 0), k))
            if is_only or is_condition:
                return one
            return replace(one, tie=Tie.VAGUE, core=None, event=None) if waits else replace(one, tie=Tie.FROM)
    return one
