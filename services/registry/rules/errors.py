"""What is asked can't be done, however often it is asked: the base of all such answers."""

from typing import Any, ClassVar

from services.plumbing.refusals import RefusedByRule


class RegistryError(RefusedByRule):
    """Over HTTP a problem of this `kind`; over Kafka the record goes to the dead-letter topic with this text.

    `members` are facts that help the asker, such as the version that is current.
    """

    kind: ClassVar[str] = "refused"

    def __init__(self, text: str, **members: Any) -> None:
        super().__init__(text)
        self.members = members


class ResourceNotFound(RegistryError):
    """There is no such thing."""

    kind = "not-found"


class Invalid(RegistryError):
    """Well formed, but it doesn't fit what the register holds."""

    kind = "refused-by-rule"


class AlreadyExists(RegistryError):
    """The id is taken."""

    kind = "already-there"
