"""The commands of `pledgewire packages`, for a clone. Imports are inside, so that help is instant."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY, FAILED, print_json
from services.plumbing.clock import MACHINE_CLOCK

packages = typer.Typer(help="What Pledgewire stands on: locks, licences, known faults.", no_args_is_help=True)

Lock = Annotated[str, typer.Option("--lock", help="services, runtime or development.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@packages.command("relock")
def packages_relock(
    *,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest of everything.")] = False,
    upgrade_package: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Take the newest of one; may be repeated.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; end with 1 where a lock would.")] = False,
) -> None:
    """Write the three locks anew after a change of pyproject.toml, all of them or none; needs uv and a network."""
    from services.cli.packages.locked import versions
    from services.cli.packages.relocking import relock, version_changes

    before = versions("development")
    options = ["--upgrade"] if upgrade else []
    options += [word for name in upgrade_package or [] for word in ("--upgrade-package", name)]
    changed = relock(options, _say, write=not check)
    after = versions("development", changed.get("development"))
    for line in version_changes(before, after):
        typer.echo(line)
    for lock in changed:
        typer.echo(f"{'would change' if check else 'written'}: locks/{lock}.txt")
    if not changed:
        typer.echo("all locks are as they should be")
    elif not check:
        _say("Now install what is new, run `./pledgewire packages licences --renew`, and the tests")
    if check and changed:
        raise typer.Exit(FAILED)


@packages.command("sbom")
def packages_sbom(
    out: Annotated[Path | None, typer.Argument(help="The file to write; without it, standard output.")] = None,
    *,
    lock: Lock = "services",
) -> None:
    """Write a bill of materials (CycloneDX 1.6, JSON) of a lock: the image's, unless another is named."""
    from services.cli.packages.bill_of_materials import bill_of_materials
    from services.cli.packages.licences import read_table
    from services.cli.packages.locked import locked

    text = bill_of_materials(locked(_known(lock)), read_table())
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


@packages.command("licences")
def packages_licences(
    *,
    lock: Lock = "development",
    renew: Annotated[bool, typer.Option("--renew", help="Take what installed packages say into the table.")] = False,
    json: AsJson = False,
) -> None:
    """Show the licence of each package; 1 where one is not known, or may not be where it is."""
    from services.cli.packages.licences import TABLE, licence_faults, read_table, renewed
    from services.cli.packages.locked import locked

    named = locked(_known(lock))
    if renew:
        text, missing = renewed(read_table(), locked("development"))
        TABLE.write_text(text, encoding="utf-8")
        for name in missing:
            _say(f"{name} does not say its licence: look it up, and write it into locks/{TABLE.name}")
    table = read_table()
    faults = licence_faults(table, lock, named)
    if json:
        items = [{"name": one.name, "version": one.version, "licence": table.get(one.name)} for one in named]
        print_json({"items": items, "faults": [vars(one) for one in faults]})
    else:
        for one in named:
            typer.echo(f"{one.name} {one.version}: {table.get(one.name, 'not known')}")
        for fault in faults:
            typer.echo(f"NO {fault.package}: {fault.what}")
    if faults:
        raise typer.Exit(FAILED)


@packages.command("advisories")
def packages_advisories(
    *,
    lock: Lock = "runtime",
    service: Annotated[
        str, typer.Option(metavar="URL", envvar="PLEDGEWIRE_ADVISORIES", help="Who is asked; it speaks as OSV does.")
    ] = "",
    if_reachable: Annotated[
        bool, typer.Option("--if-reachable", help="End with 0 where nobody can be asked, and say so.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Ask what is known against the packages of a lock; 1 for anything that locks/advisories.toml doesn't accept."""
    from services.cli.packages.advisories import SERVICE, NotReached, accepted_ids, advisories
    from services.cli.packages.locked import locked

    asked, named = service or SERVICE, locked(_known(lock))
    try:
        found = advisories(named, asked)
    except NotReached as error:
        if if_reachable:
            _say(f"not checked: {asked} can't be reached ({error})")
            return
        raise EmbeddedError(
            f"{asked} did not say what is known: {error}",
            "try where it can be reached, or name another with --service",
        ) from error
    accepted = accepted_ids(MACHINE_CLOCK.now().date())
    open_ones = [one for one in found if one.id not in accepted]
    if json:
        rows = [
            {"package": one.package.purl, "id": one.id, "summary": one.summary, "accepted": one.id in accepted}
            for one in found
        ]
        print_json({"asked": len(named), "items": rows})
    else:
        for one in found:
            mark = "accepted" if one.id in accepted else "KNOWN"
            typer.echo(f"{mark} {one.package.name} {one.package.version}: {one.id} {one.summary}")
        typer.echo(f"{len(named)} packages, {len(open_ones)} known faults, {len(found) - len(open_ones)} accepted")
    if open_ones:
        raise typer.Exit(FAILED)


def _known(lock: str) -> str:
    from services.cli.packages.locked import LOCKS

    if lock not in LOCKS:
        raise EmbeddedError(f"there is no lock {lock!r}", f"choose one of {', '.join(LOCKS)}", ASKED_WRONGLY)
    return lock
