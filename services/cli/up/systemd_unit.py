"""The systemd unit of `pledgewire up`: what it may do is what it needs, and nothing else."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.fleet import PROJECT
from services.cli.up.settings import UpSettings
from services.cli.up.state_folder import SYSTEM

RUNTIME = Path("/run/pledgewire")
"""Where PostgreSQL's socket is: a private /tmp would hide it from the commands."""
CACHE = Path("/var/cache/pledgewire")

# The Java of Kafka makes machine code as it runs, so MemoryDenyWriteExecute is left out; all else that
# `systemd-analyze security` asks for and that a network service can do without is here.
HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers={users}
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


@dataclass(frozen=True)
class Program:
    """How `pledgewire` is called."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def ours(cls) -> "Program":
        """As it was called now: installed, or from a clone."""
        if (PROJECT / "pledgewire").exists():
            return cls((sys.executable, "-P", "-m", "services.cli.main"), {"PYTHONPATH": str(PROJECT)})
        return cls((shutil.which("pledgewire") or sys.argv[0],))

    def lies_in_a_home(self) -> bool:
        """Whether it couldn't be read with ProtectHome=yes."""
        places = (Path(self.command[0]), *(Path(folder) for folder in self.environment.values()))
        homes = (Path("/home"), Path("/root"), Path("/run/user"))
        return any(home in place.parents for place in places for home in homes)


def unit(program: Program, settings: UpSettings, folder: Path, user: str, statement: str | None) -> str:
    """The text of the unit, for a state folder and a user who owns it."""
    low = min([*dict(settings.ports).values(), *([settings.tls.first_port] if settings.tls.enabled else [])]) < 1024
    hardened = HARDENED.format(
        capabilities="CAP_NET_BIND_SERVICE" if low else "",
        # A capability of a private set of users opens no port below 1024 of the machine.
        users="no" if low else "yes",
        home="read-only" if program.lies_in_a_home() else "yes",
    )
    told = {
        "PLEDGEWIRE_STATE": str(folder),
        "PLEDGEWIRE_CACHE": str(CACHE),
        "TMPDIR": str(RUNTIME),
        **program.environment,
    }
    command = [*program.command, "up", *(["--statement", statement] if statement else [])]
    environment = "".join(f"Environment={_quoted(f'{name}={text}')}\n" for name, text in told.items())
    # A folder elsewhere is made, and given to the user, by whoever keeps the machine.
    state = "StateDirectory=pledgewire\nStateDirectoryMode=0700\n" if folder == SYSTEM else f"ReadWritePaths={folder}\n"
    return f"""\
[Unit]
Description=Pledgewire, the wire service for what governments promise
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User={user}
ExecStart={" ".join(map(_quoted, command))}
{environment}{state}CacheDirectory=pledgewire
RuntimeDirectory=pledgewire
# The first start fetches Kafka. A stop lets what is in hand finish.
TimeoutStartSec=600
TimeoutStopSec=120
KillMode=mixed
Restart=on-failure
RestartSec=5

{hardened}
[Install]
WantedBy=multi-user.target
"""


def _quoted(word: str) -> str:
    """A word as systemd reads it: % begins a specifier there and $ a variable, so both are doubled."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{word}"' if set(word) & set(" \t'\";") else word
