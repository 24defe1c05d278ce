"""The keys that posts are signed with, as Standard Webhooks writes them: `whsec_` and 24 to 64 bytes in base64."""

import base64
import secrets
from typing import Annotated

from pydantic import StringConstraints

_QUAD = "[A-Za-z0-9+/]{4}"
SigningKey = Annotated[
    str,
    StringConstraints(
        # 24 to 64 bytes: three to each four letters, and one or two over.
        pattern=f"^whsec_(?:(?:{_QUAD}){{8,21}}(?:[A-Za-z0-9+/]{{2}}==)?|(?:{_QUAD}){{8,20}}[A-Za-z0-9+/]{{3}}=)$"
    ),
]
"""A signing key of Standard Webhooks: `whsec_` and 24 to 64 bytes in padded base64 (RFC 4648, 4)."""


def new_secret() -> str:
    """A signing key of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
