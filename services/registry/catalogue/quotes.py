"""Where a quote stands in a statement's text: found once, or refused."""

from services.registry.catalogue.contents import CatalogueError


class QuoteNotFound(CatalogueError):
    """The quoted words don't stand in the text."""


class QuoteAmbiguous(CatalogueError):
    """The quoted words stand in the text more than once, so they have no one position."""


def locate(quote: str, text: str) -> tuple[int, int]:
    """Where the quote stands in the whitespace-collapsed text: its start, and its end exclusive."""
    start = text.find(quote) if quote else -1
    if start < 0:
        raise QuoteNotFound(f"not in the text: {quote!r}")
    if text.find(quote, start + 1) >= 0:
        raise QuoteAmbiguous(f"more than once in the text: {quote!r}")
    return start, start + len(quote)
