"""Brings catalogues up to the messages of the code: `python -m services.i18n.extraction es fr`.

What is missing is added without a translation, what no code has is dropped, and translations stay as they are, but for
the spaces beside their punctuation. A language that has no catalogue gets one. That of a region (`en-CA`) keeps only
what it has words of its own for.
"""

import argparse
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from contracts.vocabulary import LanguageTag
from services.i18n.languages import REGIONS, SOURCE, conventions_of, written_languages
from services.i18n.typography import spaced

SERVICES = Path(__file__).parents[1]
CONTRACTS = SERVICES.parent / "contracts"
LOCALES = Path(__file__).parent / "locales"

_SOURCES = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_MARKERS = {"gettext": None, "ngettext": (1, 2), "N_": None, "_": None, "Sentence": None, "Unfit": None}
_WIDTH = 116
_HEADER = """# Pledgewire in {name}: everything that mail, chat, calendars, feeds and pages say.
# The messages are those of the code: gettext, ngettext and N_ in services/, and _ in templates. In the order of the
# alphabet; tests/i18n/test_catalogues.py fails when one is missing or left over.
msgid ""
msgstr ""
"Project-Id-Version: Pledgewire 1\\n"
"Language: {locale}\\n"
"Plural-Forms: {plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


@cache
def messages_in_code() -> Catalog:
    """Every message that the services and the contracts mark for translation; none has one. Read once."""
    messages = Catalog()
    for folder in (SERVICES, CONTRACTS):
        for _, _, message, _, _ in extract_from_dir(folder, _SOURCES, keywords=_MARKERS):
            messages.add(message)
    return messages


def updated(language: LanguageTag, written: str) -> str:
    """A catalogue's text, empty for a language that is new, with exactly the messages of the code, by the alphabet.

    Of a region's only those that it has a text for. What is marked as a guess stays so.
    """
    conventions = conventions_of(language)
    locale = conventions.locale
    held = read_po(io.StringIO(written), locale=locale, abort_invalid=True)
    catalogue = Catalog(locale)
    for message in sorted(filter(lambda message: message.id, messages_in_code()), key=_alphabetical):
        known = held.get(message.id)
        if language in REGIONS and not known:
            continue
        told = spaced(known.string, conventions.spacing) if known else ""
        catalogue.add(message.id, told, flags=known.flags & {"fuzzy"} if known else ())
    body = io.BytesIO()
    write_po(body, catalogue, width=_WIDTH, no_location=True, omit_header=True)
    header = written.partition("\n\n")[0] or _HEADER.rstrip().format(
        name=held.locale.english_name, locale=locale, plural_forms=held.plural_forms
    )
    return f"{header}\n\n{body.getvalue().decode().strip()}\n"


def _alphabetical(message: Message) -> tuple[str, str]:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return text.casefold(), text


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m services.i18n.extraction", description=__doc__)
    choices = [written for written in written_languages() if written != SOURCE]
    parser.add_argument("languages", nargs="+", choices=choices, metavar="|".join(choices))
    for language in parser.parse_args(arguments).languages:
        path = LOCALES / f"{language}.po"
        path.write_text(updated(language, path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
