"""What is asked can't be done, however often it is asked: the base of all such answers."""

from typing import Any, ClassVar

from services.plumbing.refusals import RefusedByRule
from services.plumbing.sentences import Sentence


class RegistryError(RefusedByRule):
    """Over HTTP a problem of this `kind` and `title`; over Kafka the report is refused with this text.

    `pointer` is the part of the body that it is about, as `at` writes it, and `code` says of that part what is wrong,
    where it can say more than the kind. `members` are facts that help the asker, such as the version that is current.
    """

    kind: ClassVar[str] = "refused"
    title: ClassVar[Sentence] = Sentence("The register refuses it")

    def __init__(self, text: Sentence, *, pointer: str = "", code: str = "", **members: Any) -> None:
        super().__init__(text)
        self.sentence, self.pointer, self.code = text, pointer, code or self.kind
        self.members = members


def at(*place: str | int) -> dict[str, str]:
    """What tells a `RegistryError` which part of a body it is about, as a pointer (RFC 6901, 6)."""
    return {"pointer": "#/" + "/".join(map(str, place))}


class ResourceNotFound(RegistryError):
    """There is no such thing."""

    kind = "not-found"
    title = Sentence("There is no such thing")


class Invalid(RegistryError):
    """Well formed, but it doesn't fit what the register holds."""

    kind = "refused-by-rule"
    title = Sentence("Well formed, but it doesn't fit what the register holds")


class AlreadyExists(RegistryError):
    """The id is taken."""

    kind = "already-there"
    title = Sentence("The id is taken")
