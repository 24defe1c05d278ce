"""The commands of `pledgewire access`; what they do stands beside them. Imports are inside, so that help is instant."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.access.asking import (
    access_error,
    apply_database_roles,
    apply_document,
    ask_broker,
    file_path,
    not_entered,
    read_document,
    write_file,
)
from services.cli.access.noting import note_access
from services.cli.service_client import ASKED_WRONGLY, FAILED, NOT_FOUND, print_json

if TYPE_CHECKING:
    from services.cli.access.document import AccessDocument, Entry, MinistryEntry, Quota
    from services.cli.access.editing import Section
    from services.cli.access.planning import AccessChange

access = typer.Typer(
    help="Who may do what: Kafka's users, ACLs and quotas, the database's roles.", no_args_is_help=True
)
grant = typer.Typer(help="Let somebody in: into the file, and onto the broker.", no_args_is_help=True)
access.add_typer(grant, name="grant")

File = Annotated[
    Path | None, typer.Option(envvar="ACCESS_FILE", help="Who may do what.", show_default="deploy/access.yaml")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
ProduceBytes = Annotated[int | None, typer.Option(min=1024, help="Bytes a second that it may write to a broker.")]
ConsumeBytes = Annotated[int | None, typer.Option(min=1024, help="Bytes a second that it may read from a broker.")]
RequestPercent = Annotated[
    float | None, typer.Option(min=0, help="Per cent of the time of one of a broker's threads that it may take.")
]

T = TypeVar("T")


@access.command("plan")
def access_plan(
    *,
    file: File = None,
    check: Annotated[bool, typer.Option("--check", help="End with 1 where anything differs.")] = False,
    registry: Annotated[
        str, typer.Option(metavar="URL", help="Say too which ministries of the file this registry doesn't know.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Say how the broker differs from the file, and the database's roles from what is needed; change nothing."""
    document = read_document(file)
    changes = apply_document(document, dry_run=True) + apply_database_roles(dry_run=True)
    if registry:
        changes += not_entered(document, registry)
    _print_changes(changes, as_json=json, otherwise="all is as the file says")
    if check and changes:
        raise typer.Exit(FAILED)


@access.command("apply")
def access_apply(
    *,
    file: File = None,
    revoke_strangers: Annotated[
        bool, typer.Option("--revoke-strangers", help="Take away what others may do on topics and groups of ours.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make Kafka's users, ACLs, quotas and topics those of the file, and the database's roles what services need."""
    changes = apply_document(read_document(file), revoke_strangers=revoke_strangers)
    try:
        changes += apply_database_roles()
    finally:  # what was changed on Kafka is told, whatever the database says
        if changes:
            note_access("applied", "all", {"changes": [f"{one.principal}: {one.what}" for one in changes]})
        _print_changes(changes, as_json=json, otherwise="all is as the file says")


@access.command("roles")
def access_roles(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; 1 where anything differs.")] = False,
    json: AsJson = False,
) -> None:
    """Make the database's roles what services need, and nothing on Kafka: where another program makes its users."""
    changes = apply_database_roles(dry_run=check)
    if changes and not check:
        note_access("applied", "roles", {"changes": [f"{one.principal}: {one.what}" for one in changes]})
    _print_changes(changes, as_json=json, otherwise="all is as it should be")
    if check and changes:
        raise typer.Exit(FAILED)


@access.command("list")
def access_list(*, file: File = None, json: AsJson = False) -> None:
    """Everybody whom the file names: what they may do, and whether they have a password on the broker."""
    from services.cli.access.applying import found_access
    from services.cli.access.principals import principals

    wanted, found = principals(read_document(file)), ask_broker(found_access)
    items = [
        {
            "name": one.name,
            "kind": one.kind,
            "password": one.name in found.users,
            "may": [str(acl) for acl in sorted(one.acls)],
            "quota": dict(one.quota),
        }
        for one in wanted
    ]
    if json:
        print_json({"items": items})
        return
    for one, item in zip(wanted, items, strict=True):
        quota = ", ".join(f"{name} {value:.15g}" for name, value in one.quota.items()) or "no bounds"
        typer.echo(f"{one.name} ({one.kind}; {'has' if item['password'] else 'without'} a password; {quota})")
        for acl in sorted(one.acls):
            typer.echo(f"  {acl}")


@grant.command("ministry")
def grant_ministry(
    code: Annotated[str, typer.Argument(help="The ministry's code, as mx-sre; it logs in by this name.")],
    *,
    read: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A topic that it reads, or `all`; may be repeated.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="It reports, and reads what of it was refused.")] = False,
    produce_bytes: ProduceBytes = None,
    consume_bytes: ConsumeBytes = None,
    request_percent: RequestPercent = None,
    file: File = None,
    json: AsJson = False,
) -> None:
    """Let a ministry in, or change what it may; its topics are made, and its password is shown, once."""
    from services.cli.access.document import READABLE, MinistryEntry

    topics = [topic for asked in read or [] for topic in asked.split(",")]
    topics = list(READABLE) if "all" in topics else topics
    entry = _checked(
        MinistryEntry,
        read=tuple(topics),
        report=report,
        quota=_quota(produce_bytes, consume_bytes, request_percent),
    )
    _grant(file, "ministries", code, entry, as_json=json)


@grant.command("operator")
def grant_operator(
    name: Annotated[str, typer.Argument(help="The name by which it logs in.")],
    *,
    file: File = None,
    json: AsJson = False,
) -> None:
    """Let somebody read every topic and look at our groups, for `pledgewire verify` and the like."""
    from services.cli.access.document import Entry

    _grant(file, "operators", name, Entry(), as_json=json)


@access.command("rotate")
def access_rotate(
    name: Annotated[str, typer.Argument(help="A ministry or an operator of the file.")],
    *,
    file: File = None,
    json: AsJson = False,
) -> None:
    """Give another password, and show it, once: the old one lets nobody in from then on."""
    from services.cli.access.applying import new_password, rotate

    document = read_document(file)
    _no_service(name, document, f"set KAFKA_PASSWORD_{name.upper()} and run `pledgewire access apply`")
    if name not in {*document.ministries, *document.operators}:
        raise access_error(f"the file names no {name}", "see `pledgewire access list`", NOT_FOUND)
    password = new_password()
    ask_broker(lambda settings: rotate(settings, name, password))
    note_access("password-changed", name)
    _print_password(name, password, as_json=json)


@access.command("revoke")
def access_revoke(
    name: Annotated[str, typer.Argument(help="A ministry or an operator, or somebody else whom the broker knows.")],
    *,
    file: File = None,
    json: AsJson = False,
) -> None:
    """Take everything away, at once and on open connections too, and the entry out of the file; topics stay."""
    from services.cli.access.applying import found_access, revoke
    from services.cli.access.editing import without_entry
    from services.cli.access.principals import user

    document = read_document(file)
    _no_service(name, document, "take it out of the file and apply, if it is to be cut off")
    text = file_path(file).read_text(encoding="utf-8")
    changed = without_entry(without_entry(text, "ministries", name), "operators", name)
    if changed == text:
        found = ask_broker(found_access)
        if name not in found.users and all(acl.principal != user(name) for acl in found.acls):
            raise access_error(
                f"neither the file nor the broker knows {name}", "see `pledgewire access list`", NOT_FOUND
            )
    elif not os.access(file_path(file), os.W_OK):
        raise access_error(f"{file_path(file)} can't be written", f"take {name} out of it yourself, then revoke again")
    ask_broker(lambda settings: revoke(settings, name))
    note_access("revoked", name)
    if changed != text:
        write_file(file_path(file), changed)
    if json:
        print_json({"name": name, "revoked": True})
    else:
        typer.echo(f"revoked: {name}")


def _grant(file: Path | None, section: "Section", name: str, entry: "MinistryEntry | Entry", *, as_json: bool) -> None:
    from services.cli.access.applying import found_access, new_password, rotate
    from services.cli.access.document import access_from
    from services.cli.access.editing import with_entry
    from services.cli.yaml_files import YamlFileError

    read_document(file)
    path = file_path(file)
    try:
        text = with_entry(path.read_text(encoding="utf-8"), section, name, entry)
        document = access_from(text, f"{path} with {name} in it")
    except YamlFileError as error:
        raise access_error(str(error), "docs/for-operators.md shows the file", ASKED_WRONGLY) from error
    write_file(path, text)
    changes = apply_document(document)
    note_access("granted", name, {"kind": section, **entry.model_dump(mode="json", exclude={"quota"})})
    has_one = name in ask_broker(found_access).users
    if not as_json:
        _print_changes([one for one in changes if one.kind != "password"], as_json=False, otherwise="nothing to change")
    if has_one:
        if as_json:
            print_json({"user": name, "password": None})
        else:
            typer.echo(f"{name} keeps its password; `pledgewire access rotate {name}` makes another")
        return
    password = new_password()
    ask_broker(lambda settings: rotate(settings, name, password))
    _print_password(name, password, as_json=as_json)


def _checked(kind: type[T], **fields: Any) -> T:
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        faults = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        raise access_error(faults, "see `pledgewire access grant ministry --help`", ASKED_WRONGLY) from error


def _quota(produce: int | None, consume: int | None, percent: float | None) -> "Quota | None":
    from services.cli.access.document import Quota

    named = {
        "produce_bytes_per_second": produce,
        "consume_bytes_per_second": consume,
        "request_percent": percent,
    }
    return _checked(Quota, **named) if any(value is not None for value in named.values()) else None


def _no_service(name: str, document: "AccessDocument", how: str) -> None:
    from services.cli.access.document import SERVICE_NAMES

    if name in SERVICE_NAMES or name in document.services:
        raise access_error(f"{name} is one of our services", how, ASKED_WRONGLY)


def _print_changes(changes: "Sequence[AccessChange]", *, as_json: bool, otherwise: str) -> None:
    if as_json:
        print_json({"items": [{"name": c.principal, "kind": c.kind, "what": c.what} for c in changes]})
        return
    for change in changes:
        typer.echo(f"{change.principal}: {change.what}")
    if not changes:
        typer.echo(otherwise)


def _print_password(name: str, password: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"user": name, "password": password, "mechanism": "SCRAM-SHA-512"})
        return
    typer.echo(f"user      {name}\npassword  {password}\nIt is shown this once; the mechanism is SCRAM-SHA-512.")
