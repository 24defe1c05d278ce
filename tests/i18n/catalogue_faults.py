"""What is wrong with a catalogue: the one judge of the catalogues that ship, and of those that tests spoil."""

import re
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message

from services.i18n.catalogue import is_translated
from services.i18n.languages import LanguageConventions
from services.i18n.typography import spaced

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def faults(
    catalogue: Catalog, in_code: Catalog, conventions: LanguageConventions, *, is_whole: bool = True
) -> set[str]:
    """Each fault as `kind: message`. `is_whole` says that every message of the code has to be there."""
    known = {message.id for message in in_code if message.id}
    found = set[str]()
    for message in catalogue:
        if message.id:
            found |= {f"{kind}: {name(message)}" for kind in _faults_of(message, catalogue, known, conventions)}
    there = {message.id for message in catalogue if message.id}
    if is_whole:
        found |= {f"missing: {name(message)}" for message in in_code if message.id and message.id not in there}
    return found | {f"left over: {name(message)}" for message in catalogue.obsolete.values()}


def name(message: Message) -> str:
    """A message by its text for one."""
    return message.id if isinstance(message.id, str) else message.id[0]


def _faults_of(
    message: Message, catalogue: Catalog, known: set[object], conventions: LanguageConventions
) -> Iterator[str]:
    if message.id not in known:
        yield "left over"
    if message.fuzzy:
        yield "guess"
    elif not is_translated(message):
        yield "missing"
        return
    texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if isinstance(message.id, tuple) and len(texts) != catalogue.num_plurals:
        yield "numbers"
    wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
    if any(wanted != set(PLACEHOLDER.findall(text)) for text in texts) or list(message.check(catalogue)):
        yield "values"
    if message.string != spaced(message.string, conventions.spacing):
        yield "spaces"
