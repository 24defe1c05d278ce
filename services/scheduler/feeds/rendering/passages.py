"""Passages of a feed's text that are in another language than the feed, marked as its format marks them.

Who reads aloud, or hyphenates, goes by the mark (WCAG 2.2, 3.1.2).
"""

import html
from collections.abc import Iterable

from contracts.vocabulary import ShownText
from services.i18n.prose import Prose


def language_of(text: Prose) -> str | None:
    """The language of the longest passage that is in another one, where there is room for one; None without any."""
    foreign = [run for run in text.runs if run.language]
    return max(foreign, key=lambda run: len(run.text)).language if foreign else None


def as_html(lines: Iterable[Prose]) -> str:
    """Lines as HTML that is well-formed XML too; what is in another language is marked in both ways."""
    return "<br/>".join("".join(map(_span, line.runs)) for line in lines)


def _span(run: ShownText) -> str:
    text = html.escape(run.text)
    return f'<span lang="{run.language}" xml:lang="{run.language}">{text}</span>' if run.language else text
