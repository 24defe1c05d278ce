"""`pledgewire up`: starts the instance, says what one needs to know, and keeps it up."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from services.cli.stopping import stopped_by_signals
from services.cli.up.instance import Instance, running_instance
from services.cli.up.keeping import keep_up, notify
from services.cli.up.settings import UpSettings
from services.cli.up.state_folder import InstanceFolder
from services.cli.up.statements import take_in


@dataclass(frozen=True)
class UpOptions:
    """What the command line asked for."""

    folder: InstanceFolder
    settings: UpSettings
    statement: str | None = None
    """A catalogue that comes along, to be taken in with its chronicle."""


def run_up(options: UpOptions) -> int:
    """Start everything, and keep it up until SIGTERM or SIGINT; then 0. Raises EmbeddedError."""
    started = time.monotonic()
    try:
        with stopped_by_signals(), running_instance(options.folder, options.settings, _say) as instance:
            if options.statement:
                _say(take_in(instance, options.statement))
            notify("READY=1")
            for line in welcome(instance, options, time.monotonic() - started):
                print(line, flush=True)
            try:
                keep_up(instance, _say)
            finally:
                notify("STOPPING=1")
    except KeyboardInterrupt:
        return 0


def welcome(instance: Instance, options: UpOptions, seconds: float) -> list[str]:
    """What is said once all is ready; the first time with a key, and what to do next."""
    where = instance.where
    lines = [
        f"Pledgewire is up after {seconds:.1f} s.",
        f"Portal     {where.public['portal']}",
        *(f"{name.capitalize():<10} {url}" for name, url in _others(where.public).items()),
        f"State      {options.folder.path}",
        *_on_trial(instance),
    ]
    key = instance.prepared.first_key
    if key is None:
        return [*lines, "Ctrl-C or `./pledgewire stop` ends it."]
    return [
        *lines,
        "",
        "This key may do everything, and is shown once. Keep it:",
        "",
        f"    export PLEDGEWIRE_KEY={key}",
        "",
        "Next, in another terminal:",
        "",
        *(f"    {command}" for command in NEXT),
        "",
        "Ctrl-C or `./pledgewire stop` ends it; what it has is kept.",
    ]


NEXT = (
    "./pledgewire doctor",
    "./pledgewire keys add ana --role editor --role subscriber",
    "./pledgewire trial allow ana@example.org",
)
"""The three commands that come after the first start."""


def _on_trial(instance: Instance) -> list[str]:
    """That messages are held, as long as they are."""
    if instance.prepared.trial is None:
        return []
    allowed = instance.prepared.trial.allowed
    who = f"only {', '.join(allowed)} get messages, the rest is" if allowed else "nobody gets messages, they are"
    return [f"Trial      {who} held until `./pledgewire go-live`"]


def _others(urls: Mapping[str, str]) -> dict[str, str]:
    return {name: url for name, url in urls.items() if name != "portal"}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
