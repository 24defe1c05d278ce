"""The folder of one instance: its settings, who may do what, its data, its secrets and what runs now."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

from deploy.embedded.errors import file_error
from deploy.embedded.state import state_folder

SYSTEM = Path("/var/lib/pledgewire")
"""Where root keeps it."""


def default_folder() -> Path:
    """PLEDGEWIRE_STATE, else /var/lib/pledgewire for root, else pledgewire in the user's state folder."""
    if os.environ.get("PLEDGEWIRE_STATE") or os.geteuid():
        return state_folder()
    return SYSTEM


@dataclass(frozen=True)
class InstanceFolder:
    """Where everything of one instance is. Nothing is touched before `make`."""

    path: Path

    @classmethod
    def at(cls, path: Path | None) -> "InstanceFolder":
        """The named folder, else the default one."""
        return cls((path or default_folder()).expanduser().absolute())

    @property
    def settings(self) -> Path:
        """What the operator sets; mode 0600, since passwords may stand in it."""
        return self.path / "pledgewire.toml"

    @property
    def access(self) -> Path:
        """Who may do what on Kafka: a copy of deploy/access.yaml at first, then the operator's."""
        return self.path / "access.yaml"

    @property
    def secrets(self) -> Path:
        """Keys and passwords; mode 0700, its files 0600. Without it backups can't be read."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """What runs now: pids, and `up.json`."""
        return self.path / "run"

    @property
    def backups(self) -> Path:
        """Where `pledgewire backup` writes unless told otherwise."""
        return self.path / "backups"

    def make(self) -> None:
        """Create the folders that are missing; raises EmbeddedError."""
        try:
            # As root PostgreSQL runs as another user, who must be able to walk through.
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700 if os.geteuid() else 0o711)
            for folder in (self.secrets, self.logs, self.run, self.backups):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise file_error(error, "keep its state", self.path) from error

    def secret(self, name: str, new: Callable[[], str] = lambda: token_urlsafe(32)) -> str:
        """A random secret, made once and kept in `secrets/`; 43 characters unless `new` makes another."""
        from services.cli.fleet import kept_secret

        return kept_secret(self.secrets / name, new)
