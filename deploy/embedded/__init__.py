"""The Kafka and the PostgreSQL that Pledgewire brings along when it is given none.

`EmbeddedStack` (in `stack.py`) is the door; `EmbeddedError` is all it raises for what a user can mend.
"""

from typing import TYPE_CHECKING, Any

from deploy.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from deploy.embedded.stack import EmbeddedStack

__all__ = ["EmbeddedError", "EmbeddedStack"]


def __getattr__(name: str) -> Any:
    """`EmbeddedStack` when it is asked for: the errors alone need nothing that an image leaves out."""
    if name == "EmbeddedStack":
        from deploy.embedded.stack import EmbeddedStack

        return EmbeddedStack
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
