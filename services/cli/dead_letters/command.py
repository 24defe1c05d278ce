"""The commands of `pledgewire dead-letters`. Imports are inside, so that help is instant."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.database_question import ask_database, at_the_command_line, given_reason
from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, print_json

if TYPE_CHECKING:
    from services.cli.dead_letters.letters import Letter, What

dead_letters = typer.Typer(
    help="Records that could not be taken: see why, put them on their topics again, or drop them.",
    no_args_is_help=True,
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` shows them: TOPIC/PARTITION/N.")]
Topic = Annotated[str | None, typer.Option(help="Of this topic, or put aside from it.")]
Group = Annotated[str | None, typer.Option(help="Put aside by this group.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads the audit log.")]
By = Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")]
All = Annotated[bool, typer.Option("--all", help="Every open one; with --topic or --group, every open one there.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@dead_letters.command("list")
def list_command(
    *,
    topic: Topic = None,
    group: Group = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are settled, too.")] = False,
    json: AsJson = False,
) -> None:
    """The open ones, the oldest first, each with its reason; and how many were replayed and dropped."""
    from services.cli.dead_letters.letters import chosen

    letters = _letters()
    shown = chosen(letters, [one.id for one in letters] if everything else [], topic, group)
    counts = Counter(one.settled.what if one.settled else "open" for one in letters)
    if json:
        print_json({"items": [_document(one) for one in shown], "counts": dict(counts)})
        return
    for one in shown:
        typer.echo(_line(one))
    told = ", ".join(f"{counts[what]} {what}" for what in ("open", "replayed", "dropped"))
    typer.echo(f"{told}; what was settled is removed from a topic once nothing older there is open")


@dead_letters.command("show")
def show_command(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], *, json: AsJson = False
) -> None:
    """One of them whole: where it came from, why it lies here, its headers, key and value."""
    [one] = _named(_letters(), [letter_id])
    document = _document(one) | {
        "key": _text(one.key),
        "headers": {name: _text(value) for name, value in one.headers},
        "value": _text(one.value),
    }
    if json:
        print_json(document)
        return
    for name, value in document.items():
        typer.echo(f"{name.replace('_', ' '):<14} {value if value is not None else '-'}")


@dead_letters.command("replay")
def replay_command(
    ids: Ids = None,
    *,
    topic: Topic = None,
    group: Group = None,
    everything: All = False,
    reason: Reason,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Put records on their topics again, as they were; whoever has taken one already knows it by its id."""
    from services.cli.dead_letters.topics_side import replay

    letters = _letters()
    wanted = _wanted(letters, ids or [], topic, group, everything=everything)
    if lacking := [one for one in wanted if one.lacks]:
        raise _error(
            f"{lacking[0].id} can't be replayed: {lacking[0].lacks}",
            "whoever sent it has to send it again; `pledgewire dead-letters drop` says that this is settled",
            ASKED_WRONGLY,
        )
    # First the records, then the word: who dies between them is asked again, and a repeat has the same id.
    reason = given_reason(reason)
    _on_kafka("replaying", lambda settings, progress: replay(settings, wanted, progress))
    _settle(letters, wanted, "replayed", reason, by, as_json=json)


@dead_letters.command("drop")
def drop_command(
    ids: Ids = None,
    *,
    topic: Topic = None,
    group: Group = None,
    everything: All = False,
    reason: Reason,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say that nothing is to become of records; they are counted and, in time, removed."""
    letters = _letters()
    wanted = _wanted(letters, ids or [], topic, group, everything=everything)
    _settle(letters, wanted, "dropped", given_reason(reason), by, as_json=json)


def _settle(
    letters: "Sequence[Letter]", wanted: "Sequence[Letter]", what: "What", reason: str, by: str, *, as_json: bool
) -> None:
    """Write the word down, remove what is settled from the topics, and say how many are left."""
    from services.cli.dead_letters.letters import Settlement, emptied_up_to
    from services.cli.dead_letters.settling import settle
    from services.cli.dead_letters.topics_side import remove
    from services.plumbing.clock import MACHINE_CLOCK

    actor = at_the_command_line(by)
    ask_database(lambda connection: settle(connection, wanted, what, reason, actor), "dead-letters")
    said = Settlement(what, actor.client.removeprefix("command-line/"), MACHINE_CLOCK.now(), reason)
    ids = {one.id for one in wanted}
    now = [replace(one, settled=said) if one.id in ids else one for one in letters]
    _on_kafka("removing", lambda settings, _: remove(settings, emptied_up_to(now)))
    left = sum(one.settled is None for one in now)
    if as_json:
        print_json({what: len(wanted), "open": left})
    else:
        typer.echo(f"{what}: {len(wanted)}; {left} are open")


def _wanted(
    letters: "Sequence[Letter]", ids: list[str], topic: str | None, group: str | None, *, everything: bool
) -> "list[Letter]":
    from services.cli.dead_letters.letters import chosen

    if bool(ids) == everything:
        raise _error(
            "say which letters are meant", "name their ids, or --all with or without --topic and --group", ASKED_WRONGLY
        )
    named = _named(letters, ids) if ids else []
    if settled := [one for one in named if one.settled]:
        said = settled[0].settled
        raise _error(
            f"{settled[0].id} was {said.what if said else 'settled'} by {said.by if said else 'somebody'} already",
            "`pledgewire dead-letters list` shows those that are open",
            ASKED_WRONGLY,
        )
    return chosen(letters, [one.id for one in named], topic, group)


def _named(letters: "Sequence[Letter]", ids: list[str]) -> "list[Letter]":
    from services.cli.dead_letters.letters import LetterId

    found = {one.id: one for one in letters}
    named: list[Letter] = []
    for text in ids:
        try:
            place: LetterId = LetterId.of(text)
        except ValueError:
            raise _error(f"{text} is no id of a letter", "it is TOPIC-dead/PARTITION/OFFSET", ASKED_WRONGLY) from None
        if place not in found:
            raise _error(f"there is no letter {text}", "`pledgewire dead-letters list --all` shows them", NOT_FOUND)
        named.append(found[place])
    return named


def _letters() -> "list[Letter]":
    from services.cli.dead_letters.settling import settled_letters
    from services.cli.dead_letters.topics_side import read_letters

    settled = ask_database(settled_letters, "dead-letters")
    letters: list[Letter] = _on_kafka("reading", lambda settings, progress: read_letters(settings, settled, progress))
    return letters


def _on_kafka(what: str, question: Any) -> Any:
    """What comes of a question to the broker, with a line that says how far it is; raises EmbeddedError."""
    import asyncio

    from aiokafka.errors import KafkaError

    from services.cli.platform import ProgressLine
    from services.plumbing.kafka.settings import KafkaSettings
    from services.plumbing.transient_errors import Unavailable

    settings = KafkaSettings()
    try:
        with ProgressLine(f"{what} dead letters") as line:
            return asyncio.run(question(settings, line.show))
    except (KafkaError, Unavailable, OSError, TimeoutError) as error:
        raise _error(
            f"Kafka at {settings.bootstrap_servers} did not do it: {error or type(error).__name__}",
            "set KAFKA_BOOTSTRAP_SERVERS and the KAFKA_SASL_ settings; to replay and to drop takes Kafka's super user",
            1,
        ) from error


def _error(what: str, how: str, status: int) -> Exception:
    from deploy.embedded.errors import EmbeddedError

    return EmbeddedError(what, how, status)


def _line(one: "Letter") -> str:
    said = f" [{one.settled.what} by {one.settled.by}: {one.settled.reason}]" if one.settled else ""
    reason = " ".join(one.reason.split())
    return f"{one.id}  {one.put_aside_at:%Y-%m-%dT%H:%M:%SZ}  {one.group}  {one.error}: {reason[:200]}{said}"


def _document(one: "Letter") -> dict[str, Any]:
    settled = one.settled
    return {
        "id": str(one.id),
        "put_aside_at": one.put_aside_at.isoformat(),
        "group": one.group,
        "from": f"{one.origin}/{one.origin_partition}/{one.origin_offset}",
        "error": one.error,
        "reason": one.reason,
        "lacks": one.lacks,
        "settled": {"what": settled.what, "by": settled.by, "at": settled.at.isoformat(), "reason": settled.reason}
        if settled
        else None,
    }


def _text(value: bytes | None) -> str | None:
    """For people: text as it is, anything else in hexadecimal; nothing that moves a terminal's cursor."""
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if all(character.isprintable() or character == "\n" for character in text) else value.hex()
