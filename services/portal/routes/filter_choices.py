"""What readers can choose from in the form, and what it is called."""

from collections.abc import Sequence
from typing import NamedTuple

from contracts.vocabulary import Text
from services.portal.clients.registry import CommitmentView, StatementView
from services.portal.page_text import Original


class Title(NamedTuple):
    """What something in a statement is called, and what tells in which language that was written."""

    text: Text
    original: Original


class FilterChoices(NamedTuple):
    """What can be asked for: by their codes and ids."""

    parties: dict[str, Original]
    """With what tells of the organisations among them."""
    sections: dict[str, Title]
    themes: dict[str, Title | None]


def filter_choices(statements: Sequence[StatementView], commitments: Sequence[CommitmentView]) -> FilterChoices:
    """What the statements hold, called as the first of them calls it; without them, what the list itself holds."""
    told: Sequence[StatementView | CommitmentView] = statements or commitments
    choices = FilterChoices({}, {}, {})
    for one in told:
        for code in one.parties:
            choices.parties.setdefault(code, one)
    for statement in statements:
        for section in statement.sections:
            choices.sections.setdefault(section.id, Title(section.title, statement))
        for theme in statement.themes:
            choices.themes.setdefault(theme.id, Title(theme.title, statement))
    if not statements:
        for commitment in commitments:
            choices.sections.setdefault(commitment.section, Title(commitment.section_title, commitment))
            choices.themes.update(dict.fromkeys(sorted(commitment.themes)))
    return choices
