"""Sentences for people that can be said in other languages than the code's, without anybody here knowing one."""

from collections.abc import Callable
from typing import Any, Self

Translate = Callable[[str], str]
"""The same message in another language, its placeholders as they are; without a translation, the message itself."""


class Sentence(str):
    """A sentence in the language of the code, which knows its message and the values that were filled in.

    `%(name)s` stands for a value. The catalogues have every message that the code gives to this class as it is
    written. A value that is a sentence itself is said in the other language too.
    """

    message: str
    values: dict[str, Any]

    def __new__(cls, message: str, **values: Any) -> Self:
        """The message with the values filled in."""
        sentence = super().__new__(cls, message % values if values else message)
        sentence.message, sentence.values = message, values
        return sentence

    def said(self, translate: Translate) -> str:
        """The sentence in another language."""
        message = translate(self.message)
        return (
            message % {name: said(value, translate) for name, value in self.values.items()} if self.values else message
        )


def said(text: Any, translate: Translate) -> Any:
    """A sentence in another language; whatever else, such as a date or the words of somebody, as it is."""
    return text.said(translate) if isinstance(text, Sentence) else text


def sentence_of(error: BaseException) -> Sentence:
    """What an error says. One that is given a message and values of its own, beside its text, is one as well.

    So do those refuse who know nothing of Pledgewire, such as the contracts.
    """
    text = error.args[0] if error.args else ""
    if isinstance(text, Sentence):
        return text
    message, values = getattr(error, "message", None), getattr(error, "values", None)
    return Sentence(message, **values) if message and isinstance(values, dict) else Sentence(str(error))
