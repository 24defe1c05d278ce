"""`pledgewire contracts`: what a change of the contracts breaks, and releases of them in the tree."""

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, print_json
from services.plumbing.clock import MACHINE_CLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.compatibility.findings import ContractSet, Finding

HERE = Path(__file__).parents[2] / "contracts"

contracts = typer.Typer(help="What is promised to readers and writers, and its releases.", no_args_is_help=True)


@contracts.command("diff")
def diff_command(
    old: Annotated[str, typer.Argument(help="A release such as 0.2.0, or a folder with contracts.")],
    new: Annotated[str | None, typer.Argument(help="Another one; without it, what stands in the tree.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:
    """Say for each difference whether readers and writers by OLD can go on; 1 if one of them can't."""
    from contracts.compatibility.findings import findings

    found = findings(_contracts(old), _contracts(new or str(HERE)), MACHINE_CLOCK.now().date())
    breaking = sum(one.is_breaking for one in found)
    if as_json:
        rows = [{"place": one.place, "what": one.what, "readers": one.readers, "writers": one.writers} for one in found]
        print_json({"breaking": breaking, "items": rows})
    else:
        _show(found)
        typer.echo(f"{len(found)} differences, {breaking} of them breaking", err=True)
    if breaking:
        raise typer.Exit(1)


@contracts.command("release")
def release_command(
    version: Annotated[str, typer.Argument(help="Its number, such as 0.2.0: higher than that of the last.")],
) -> None:
    """Write contracts/released/VERSION from the contracts as they are committed.

    Refused where somebody who goes by an earlier release of the same major version would break.
    """
    from contracts import generate
    from contracts.releases import ReleaseRefused, make_release

    if stale := generate.stale():
        raise EmbeddedError(f"not generated anew: {', '.join(stale)}", "run python -m contracts.generate")
    try:
        made = make_release(generate.HERE, version, _commit(generate.HERE), MACHINE_CLOCK.now().date())
    except ReleaseRefused as refused:
        if not refused.breaking:
            raise EmbeddedError(str(refused), "give the number that follows, such as 0.2.0", ASKED_WRONGLY) from None
        _show(refused.breaking)
        raise EmbeddedError(
            str(refused), "make a new version of the event beside the old one, or raise the major version"
        ) from None
    typer.echo(str(made.folder))


def _contracts(named: str) -> "ContractSet":
    """The contracts of a folder or a release."""
    from contracts.releases import RELEASED, contracts_in, releases

    folder = Path(named) if Path(named).is_dir() else HERE / RELEASED / named
    try:
        return contracts_in(folder)
    except FileNotFoundError:
        there = ", ".join(release.version for release in releases(HERE)) or "none yet"
        raise EmbeddedError(
            f"{named} is neither a release nor a folder with schemas/ and cards.json",
            f"releases in the tree: {there}",
            NOT_FOUND,
        ) from None


def _commit(folder: Path) -> str:
    """The commit of the code, which the contracts have to be part of as they are."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            [shutil.which("git") or "git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    try:
        changed, commit = git("status", "--porcelain", "--", "."), git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        raise EmbeddedError("the contracts are in no git working tree", "make releases in a clone") from None
    if changed:
        raise EmbeddedError("the contracts are not committed as they are", "commit them first, then release")
    return commit


def _show(found: "Sequence[Finding]") -> None:
    """The verdicts first, so that a long reason breaks no column."""
    if found:
        typer.echo(f"{'readers':<12}{'writers':<12}what")
    for one in found:
        typer.echo(f"{one.readers:<12}{one.writers:<12}{one.place}: {one.what}")
