"""The catalogues of messages: `locales/<language>.po`, compiled in memory when a language is first asked for."""

import gettext
import hashlib
import io
from importlib import resources

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from contracts.vocabulary import LanguageTag
from services.i18n.languages import LANGUAGES, SOURCE

LOCALES = resources.files("services.i18n") / "locales"


def N_(text: str) -> str:  # noqa: N802 (the name that message extractors know)
    """Mark a text for translation where it is only listed."""
    return text


def translations_of(language: LanguageTag) -> gettext.NullTranslations:
    """The messages of a language; those of the source language, and those without a translation, are themselves.

    Raises `KeyError` for a language that there is not, and babel's `PoFileError` for a catalogue that can't be read.
    """
    if language == SOURCE:
        return gettext.NullTranslations()
    locale = LANGUAGES[language].locale
    source = LOCALES / f"{language}.po"
    catalogue = read_po(io.BytesIO(source.read_bytes()), locale=locale, abort_invalid=True)
    return compiled(catalogue)


def compiled(catalogue: Catalog) -> gettext.GNUTranslations:
    """A catalogue that answers; a message without a translation, in one number at least, answers itself."""
    for message in list(catalogue):
        if message.id and not is_translated(message):
            catalogue.delete(message.id)  # or an empty plural would be shown as it is
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
