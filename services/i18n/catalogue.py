"""The catalogues of messages: `locales/<language>.po`, compiled in memory when a language is first asked for."""

import gettext
import hashlib
import io
from importlib import resources

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from contracts.vocabulary import LanguageTag
from services.i18n.languages import REGIONS, SOURCE, conventions_of, primary
from services.i18n.typography import Spacing, spaced

LOCALES = resources.files("services.i18n") / "locales"


def N_(text: str) -> str:  # noqa: N802 (the name that message extractors know)
    """Mark a text for translation where it is only listed."""
    return text


def translations_of(written: LanguageTag) -> gettext.NullTranslations:
    """The messages of a language, or of a region: what its own catalogue does not have is as in its language's.

    Those of the source language, and those without a translation, are themselves. Raises `KeyError` for a language that
    there is not, and babel's `PoFileError` for a catalogue that can't be read.
    """
    if written in REGIONS:
        language = translations_of(primary(written))
        source = LOCALES / f"{written}.po"
        if not source.is_file():
            return language
        own = _compiled_file(written)
        own.add_fallback(language)
        return own
    return gettext.NullTranslations() if written == SOURCE else _compiled_file(written)


def _compiled_file(written: LanguageTag) -> gettext.GNUTranslations:
    conventions = conventions_of(written)
    source = LOCALES / f"{written}.po"
    catalogue = read_po(io.BytesIO(source.read_bytes()), locale=conventions.locale, abort_invalid=True)
    return compiled(catalogue, conventions.spacing)


def compiled(catalogue: Catalog, spacing: Spacing | None = None) -> gettext.GNUTranslations:
    """A catalogue that answers, with the spaces of the language between words and their punctuation.

    A message without a translation, in one number at least, answers itself.
    """
    for message in list(catalogue):
        if message.id and not is_translated(message):
            catalogue.delete(message.id)  # or an empty plural would be shown as it is
        elif message.id and spacing:
            message.string = spaced(message.string, spacing)
    compiled_file = io.BytesIO()
    write_mo(compiled_file, catalogue)
    compiled_file.seek(0)
    return gettext.GNUTranslations(compiled_file)


def is_translated(message: Message) -> bool:
    """Whether there is a text for it, for each number where it counts, and nobody has marked it as a guess."""
    texts = [message.string] if isinstance(message.string, str) else message.string or [""]
    return all(texts) and not message.fuzzy


def fingerprint() -> bytes:
    """A digest of this package's code and catalogues: what was rendered with other ones is to be rendered anew."""
    digest = hashlib.sha256()
    for folder in (resources.files("services.i18n"), LOCALES):
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith((".py", ".po")):
                digest.update(file.read_bytes())
    return digest.digest()
