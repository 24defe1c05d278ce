"""Secrets at rest: what stands in a table is sealed under a key that the database never has (AES-256-GCM).

A sealed text is `sealed:1:<key id>:<base64url of nonce and ciphertext>`. Bound to it, as the additional data of the
cipher, is where it stands (table, column, row): moved elsewhere it can't be opened. Texts without the prefix are clear,
from before there was a key, and are given as they are. Nonces are 96 random bits, good for 2^32 texts under one key
(NIST SP 800-38D, 8.3).

Keys are lines `pwsk_<base64url of 32 bytes>`; lines that begin with `#` are remarks. The first key seals, all of them
open, so a key is exchanged by putting the new one in front and sealing anew what there is. Its id is made of the key.
"""

import base64
import binascii
import hashlib
import os
import secrets
import shlex
import subprocess
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, PrivateAttr, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SEALED = "sealed:1:"
"""What a sealed text begins with; no address does."""
_KEY = "pwsk_"
_NONCE = 12
_COMMAND_SECONDS = 30.0
_READ_AGAIN_SECONDS = 5.0
_MOST_OPENED = 20_000


class SecretUnreadable(Exception):
    """A sealed text can't be opened: its key isn't known, or it stands elsewhere. What it says is no secret."""


@dataclass(frozen=True)
class SecretKey:
    """One key of 256 bits; `id` tells it from others, and nothing about it."""

    id: str
    cipher: AESGCM = field(repr=False)


def read_keys(text: str) -> tuple[SecretKey, ...]:
    """The keys of a text, the first of which seals; raises ValueError, which quotes none of it."""
    lines = [part.strip() for line in text.splitlines() for part in line.split(",")]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        raise ValueError("there is no key in it; `pledgewire secrets new-key` makes one")
    return tuple(_key_of(line, number) for number, line in enumerate(wanted, 1))


def _key_of(line: str, number: int) -> SecretKey:
    try:
        key = base64.urlsafe_b64decode(line.removeprefix(_KEY).encode())
    except (binascii.Error, ValueError):
        key = b""
    if not line.startswith(_KEY) or len(key) != 32:
        raise ValueError(f"key {number} is none: it is {_KEY} and 32 bytes in base64url")
    return SecretKey(hashlib.sha256(b"pledgewire secrets key\n" + key).hexdigest()[:8], AESGCM(key))


def new_key() -> str:
    """A fresh key, as a line of a key file."""
    return _KEY + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def put_new_key_in_front(path: Path) -> str:
    """Make a key and put it in front of those of a file, which is made where there is none (0600); the new key's id.

    Raises OSError, and ValueError where the file holds something else.
    """
    before = path.read_text() if path.exists() else ""
    if before.strip():
        read_keys(before)
    line = new_key()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{line}\n{before}")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return read_keys(line)[0].id


KEY_SETTINGS = ("SECRETS_KEY", "SECRETS_KEY_FILE", "SECRETS_KEY_COMMAND")
"""The variables that say where the keys are, one of which is set."""


def keys_from(setting: str, value: str) -> dict[str, str]:
    """The variables of a process that has its keys from there, whatever the others are around it."""
    return {**dict.fromkeys(KEY_SETTINGS, ""), setting: value}


class SecretsSettings(BaseSettings):
    """Where the keys of sealed secrets come from; without any, secrets stand in the clear."""

    model_config = SettingsConfigDict(env_prefix="SECRETS_", env_ignore_empty=True)

    key: SecretStr | None = None
    """The keys themselves, separated by commas."""
    key_file: Path | None = None
    """A file of keys, one a line; it is read again when it may have changed."""
    key_command: str | None = Field(default=None, min_length=1)
    """A command that prints the keys, as a key service's client does; no shell is between, within 30 seconds."""
    _keys: tuple[SecretKey, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        """The keys are read here, so that a setting which gives none is told like any other that can't be."""
        self._keys = self.read()
        return self

    @property
    def keys(self) -> tuple[SecretKey, ...]:
        """The keys as they were when the settings were read."""
        return self._keys

    def read(self) -> tuple[SecretKey, ...]:
        """The keys as they are now; raises ValueError that says which setting gives none."""
        given = [name for name in ("key", "key_file", "key_command") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(f'SECRETS_{name.upper()}' for name in given)} are set; set one of them")
        try:
            if self.key:
                return read_keys(self.key.get_secret_value())
            if self.key_file:
                return read_keys(self.key_file.read_text())
            if self.key_command:
                return read_keys(_printed_by(self.key_command))
        except (ValueError, OSError, subprocess.SubprocessError) as error:
            # What a command printed or a file holds is never quoted.
            what = str(error) if isinstance(error, ValueError) else getattr(error, "strerror", None)
            raise ValueError(f"SECRETS_{given[0].upper()}: {what or 'the command did not end well'}") from None
        return ()


def settings_of_keys(named: Mapping[str, str]) -> SecretsSettings:
    """The settings that these variables make, and those of this process don't; raises `ValidationError`."""
    return SecretsSettings.model_validate(
        {name.removeprefix("SECRETS_").lower(): named.get(name) or None for name in KEY_SETTINGS}
    )


def _printed_by(command: str) -> str:
    done = subprocess.run(  # noqa: S603  the operator's own command, without a shell
        shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=True, text=True
    )
    return done.stdout


class SealedPlace(NamedTuple):
    """Where a secret stands: what it is bound to."""

    table: str
    column: str
    row: UUID

    @property
    def bound(self) -> bytes:
        """The additional data of the cipher."""
        return f"{self.table}|{self.column}|{self.row}".encode()


class Secrets:
    """Seals and opens. What was opened stays in memory: a text is deciphered once, and not for each delivery."""

    def __init__(
        self,
        keys: Sequence[SecretKey] = (),
        read_again: Callable[[], Sequence[SecretKey]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read_again` gives the keys as they are by now, for a text whose key isn't known; it must not take long."""
        self._keys = tuple(keys)
        self._by_id = {key.id: key for key in self._keys}
        self._read_again = read_again
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._opened: OrderedDict[tuple[str, SealedPlace], str] = OrderedDict()
        self.seals = True
        """Whether what is written is sealed; without it the keys only open."""

    @classmethod
    def from_settings(cls, settings: SecretsSettings) -> Self:
        """With the settings' keys; a file is read again where a text names a key that was not in it."""
        return cls(settings.keys, settings.read if settings.key_file else None)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys that are known, the one that seals first."""
        return tuple(key.id for key in self._keys)

    @property
    def _sealing(self) -> tuple[SecretKey, ...]:
        return self._keys if self.seals else ()

    def learn(self, keys: Sequence[SecretKey]) -> None:
        """Go by these keys from now on."""
        if tuple(key.id for key in keys) != self.key_ids:
            self._keys = tuple(keys)
            self._by_id = {key.id: key for key in keys}
            self._opened.clear()

    def seal(self, text: str, where: SealedPlace) -> str:
        """A text as it is to stand in a place; as it is where there is no key. '' stays empty, it hides nothing."""
        if not self._sealing or not text:
            return text
        key = self._sealing[0]
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + key.cipher.encrypt(nonce, text.encode(), where.bound)
        return f"{SEALED}{key.id}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, text: str, where: SealedPlace) -> str:
        """What stands in a place, in the clear; raises `SecretUnreadable`."""
        if not text.startswith(SEALED):
            return text
        known = self._opened.get((text, where))
        if known is not None:
            return known
        opened = self._deciphered(text, where)
        self._opened[text, where] = opened
        if len(self._opened) > _MOST_OPENED:
            self._opened.popitem(last=False)
        return opened

    def is_current(self, text: str) -> bool:
        """Whether a text stands as it would be written today: under the first key, or in the clear without one."""
        if not text:
            return True
        return key_id_of(text) == (self._sealing[0].id if self._sealing else None)

    def _deciphered(self, text: str, where: SealedPlace) -> str:
        id_ = key_id_of(text)
        key = self._by_id.get(id_ or "") or self._found_again(id_ or "")
        if key is None:
            raise SecretUnreadable(f"it was sealed with the key {id_}, which is not known")
        try:
            sealed = base64.urlsafe_b64decode(text.rpartition(":")[2].encode())
            return key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], where.bound).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable("it was sealed for another place, or is spoiled") from None

    def _found_again(self, id_: str) -> SecretKey | None:
        """A key that came in since the keys were read; looked for every few seconds at most."""
        if self._read_again is None or self._monotonic() - self._read_at < _READ_AGAIN_SECONDS:
            return None
        self._read_at = self._monotonic()
        try:
            self.learn(self._read_again())
        except ValueError:
            return None  # half written, or gone: what is known holds
        return self._by_id.get(id_)


def key_id_of(text: str) -> str | None:
    """The id of the key that a text was sealed with; None for one in the clear."""
    return text.removeprefix(SEALED).partition(":")[0] if text.startswith(SEALED) else None


IN_THE_CLEAR = Secrets()
"""Without a key: nothing is sealed, and nothing sealed can be opened."""
