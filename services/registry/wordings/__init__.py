"""Deadlines as they are written: time expressions of English, Spanish and French, read into days or into none.

A language is a lexicon, as data; the grammar is one. Words become tokens (`tokens`), tokens a tree (`cores` for days,
`grammar` for what ties the work to them), and the tree becomes days (`resolution`), which `reading` puts together with
how they bind. What careful people read differently is decided by a `ReadingPolicy`, and every reading names the rule
that decided it and the alternatives that it passed over. No date is made up: unknown words around a number leave it
a number. Words of a language that has no lexicon are left unsettled.
"""

from services.registry.wordings.policy import DEFAULT, ReadingPolicy
from services.registry.wordings.reading import LEXICONS, lexicon_for, read
from services.registry.wordings.wording import Alternative, AnchorReference, Modality, Wording

__all__ = [
    "DEFAULT",
    "LEXICONS",
    "Alternative",
    "AnchorReference",
    "Modality",
    "ReadingPolicy",
    "Wording",
    "lexicon_for",
    "read",
]
