"""Words on a page, and the language of each run of them that is not in the page's.

The register's texts are there in the languages that somebody wrote them in, so a Spanish title may stand in an English
phrase. Marked as Spanish it is read aloud, translated and hyphenated as such (WCAG 2.2, 3.1.2, Language of Parts).
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Protocol

from markupsafe import Markup, escape

from contracts.commitments import Organisation
from contracts.events import Reporter
from contracts.vocabulary import ShownText, Text
from services.i18n.languages import SOURCE
from services.i18n.names import reporter_name, shown_party
from services.i18n.prose import Prose, marked
from services.i18n.text import one_line
from services.i18n.words import Words

UNDETERMINED = "und"
"""The tag of a language that nobody has told (BCP 47): what is so marked is not read aloud as if it were the page's."""
MOST_NAMED = 6
"""Parties that are named in a line; of more it says how many they are."""


class Original(Protocol):
    """What has words in a language of its own and tells of its organisations: a statement, a commitment."""

    @property
    def language(self) -> str:
        """The language of the original."""

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """What is to be known of each party that is no country."""


class PageText(Prose):
    """Words for a page. As text they are plain, in HTML each run in another language is an element with `lang`."""

    @property
    def text(self) -> str:
        """The words alone, for where no element may stand: options, titles, labels of pictures."""
        return str(self)

    @property
    def lang(self) -> Markup:
        """The attribute for an element around such words: ` lang="es"`; nothing where they are not of one language."""
        spoken = {run.language for run in self.runs}
        return Markup(' lang="{}"').format(*spoken) if len(spoken) == 1 and "" not in spoken else Markup("")

    def as_json(self) -> list[dict[str, str | None]]:
        """The runs, one by one; the language is null where it is the page's own, or where nobody knows."""
        return [{"text": run.text, "lang": run.language or None} for run in self.runs]

    def __html__(self) -> str:
        return Markup("").join(
            Markup('<span lang="{}">{}</span>').format(language, text) if language else escape(text)
            for text, language in self.runs
        )


def shown(words_there: ShownText, words: Words, *, instead: str = "…") -> PageText:
    """Words as they stand on a page in the language of `words`; `instead` is for those of which nothing is seen."""
    return PageText.read(marked(words_there, words, instead))


def phrase(written: str) -> PageText:
    """A phrase in the page's language, with the runs in it that are marked as another's."""
    return PageText(run._replace(text=one_line(run.text)) for run in PageText.read(written).runs)


def localized(text: Text, original: Original | None, words: Words, *, instead: str = "…") -> PageText:
    """A text of the register in the page's language, or in the nearest that it is there in."""
    return shown(text.in_language(words.language, original.language if original else SOURCE), words, instead=instead)


def party_name(code: str, original: Original | Mapping[str, Original] | None, words: Words) -> PageText:
    """A party by its name; `original` is what tells of organisations, or that by the parties' codes."""
    told = original.get(code) if isinstance(original, Mapping) else original
    if told is None:
        return shown(shown_party(code, words), words)
    return shown(shown_party(code, words, told.organisations, told.language), words)


def party_list(codes: Iterable[str], original: Original | Mapping[str, Original] | None, words: Words) -> PageText:
    """Parties by their names, as a list in prose; where they are many, in the order of the names."""
    names = [party_name(code, original, words) for code in codes]
    if len(names) > MOST_NAMED:
        names.sort(key=by_alphabet)
    return phrase(words.listed(name.written for name in names))


def by_alphabet(name: PageText) -> tuple[str, str]:
    """What names are sorted by: without accents and in one case, so that `États-Unis` stands among the E's."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold(), str(name)


def reported_by(reporter: Reporter, original: Original | None, words: Words) -> PageText:
    """Who reported."""
    return shown(reporter_name(reporter, words, original.language if original else SOURCE), words)


def as_written(text: str, words: Words) -> PageText:
    """What somebody wrote without saying in which language: notes, sources, titles of evidence."""
    return shown(ShownText(text, UNDETERMINED), words)


def in_language(text: str, language: str, words: Words) -> PageText:
    """Words that are in one language only: quotes, time expressions."""
    return shown(ShownText(text, language), words)
