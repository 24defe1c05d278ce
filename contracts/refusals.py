"""What the contracts refuse, said so that others can say it in other languages."""

from typing import Any


class Unfit(ValueError):
    """A value that no event may carry. `message` has `%(name)s` where one of the `values` is filled in."""

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message % values if values else message)
        self.message, self.values = message, values
