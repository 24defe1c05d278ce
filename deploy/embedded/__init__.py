"""The Kafka and the PostgreSQL that Pledgewire brings along when it is given none.

`EmbeddedStack` (in `stack.py`) is the door; `EmbeddedError` is all it raises for what a user can mend.
"""

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.stack import EmbeddedStack

__all__ = ["EmbeddedError", "EmbeddedStack"]
