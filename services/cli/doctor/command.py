"""`pledgewire doctor`: all checks at once, a line for each, and the fix in it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    *,
    state: Annotated[
        Path | None, typer.Option(help="The folder of `pledgewire up`, if it isn't the usual one.", metavar="DIR")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Look at all that this instance depends on, and say what mends what is wrong; 1 where anything is."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.doctor.diagnosis import examine
    from services.cli.doctor.examination import checks_of
    from services.cli.doctor.surroundings import surroundings
    from services.cli.service_client import FAILED, NOT_FOUND, print_json
    from services.cli.up.state_folder import InstanceFolder
    from services.plumbing.clock import MACHINE_CLOCK

    around = surroundings(InstanceFolder.at(state))
    if state and around.state is None:  # who names a folder asks about what is in it, not about the variables
        raise EmbeddedError(
            f"there is no instance in {state}", "`pledgewire up` makes one; --state names another folder", NOT_FOUND
        )
    found = asyncio.run(examine(checks_of(around, MACHINE_CLOCK.now())))
    if json:
        print_json({"items": [vars(one) for one in found]})
    else:
        for one in found:
            typer.echo(one.line())
    if any(one.ok is False for one in found):
        raise typer.Exit(FAILED)
