"""The keys that posts are signed with, as Standard Webhooks writes them: `whsec_` and 24 to 64 bytes in base64."""

import base64
import binascii
import secrets


def check_secret(secret: str) -> None:
    """Refuse what is no signing key of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64."""
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not secret.startswith("whsec_") or not 24 <= len(raw) <= 64:
        raise ValueError("the secret has to be `whsec_` and 24 to 64 bytes in base64")


def new_secret() -> str:
    """A signing key of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
