"""What an API key looks like: `pw_<key id>_<secret>_<checksum>`, and what is kept of one.

The secret has 256 random bits; above 112 bits of entropy a plain SHA-256 suffices (OWASP ASVS 5.0, 6.5.2). The fixed
prefix and the checksum, a CRC-32 of what stands before it, let scanners of source code know a key when they see one,
and let a slip of typing or a cut copy be told without asking anybody.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

PREFIX = "pw"
_SMALL = string.digits + string.ascii_lowercase
_ALL = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 16, 43, 6
"""43 characters of 62 hold 256 bits, 6 hold the 32 of the checksum."""
KEY = re.compile(
    rf"{PREFIX}_([0-9a-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}_([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})",
    re.ASCII,
)
"""A key as it is written; whether its checksum fits, `is_whole` says."""
SHORTEST_AGREED = 32
"""Characters of a key that both sides have agreed on without us."""


@dataclass(frozen=True)
class MadeKey:
    """A key to be shown once: all that is kept of it is its id and its hash."""

    id: str
    text: str

    @property
    def sha256(self) -> str:
        """What is kept of it."""
        return hash_of(self.text)


def new_key() -> MadeKey:
    """A new key."""
    key_id = "".join(secrets.choice(_SMALL) for _ in range(_ID_LENGTH))
    body = f"{PREFIX}_{key_id}_{_digits(secrets.randbits(256), _SECRET_LENGTH)}"
    return MadeKey(key_id, f"{body}_{_checksum(body)}")


def agreed_key(text: str) -> MadeKey:
    """A key that both sides have from elsewhere; raises ValueError for one that could be guessed or can't be sent."""
    if KEY.fullmatch(text) and is_whole(text):
        return MadeKey(text.split("_")[1], text)
    if len(text) < SHORTEST_AGREED or not re.fullmatch("[!-~]+", text) or text.startswith(f"{PREFIX}_"):
        raise ValueError(f"a key has at least {SHORTEST_AGREED} printable ASCII characters without spaces")
    return MadeKey(_derived_id(text), text)


def key_id_of(text: str) -> str | None:
    """By which id a key is looked up; None for what can be none."""
    if text.startswith(f"{PREFIX}_"):
        return text.split("_")[1] if KEY.fullmatch(text) and is_whole(text) else None
    return _derived_id(text) if len(text) >= SHORTEST_AGREED and text.isascii() else None


def is_whole(text: str) -> bool:
    """Whether the checksum of a key fits: none was cut or misspelt."""
    body, _, checksum = text.rpartition("_")
    return _checksum(body) == checksum


def hash_of(text: str) -> str:
    """What is kept of a key: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _derived_id(text: str) -> str:
    """Of a key that has none of its own: it tells nothing of the key."""
    return _digits(int.from_bytes(hashlib.sha256(b"api-key-id " + text.encode()).digest()), _ID_LENGTH, _SMALL)


def _checksum(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _digits(number: int, length: int, alphabet: str = _ALL) -> str:
    """The last digits of a number, written with this alphabet."""
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        found = alphabet[digit] + found
    return found
