"""What is entered is there in the statement's own language, whatever other languages it is there in."""

from contracts.vocabulary import LanguageTag, Text
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, at


def check_in_original(text: Text, language: LanguageTag, *place: str | int) -> None:
    """Raise `Invalid`, about this place in the request, for words that are not there in the original's language."""
    if language not in text.languages:
        raise Invalid(
            Sentence(
                "The words are needed in the statement's own language (%(language)s); others may stand beside it",
                language=language,
            ),
            **at(*place),
        )
