"""`pledgewire render`: what people, or their systems, would be sent of events, without sending it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, CommandClient, Refusal, exit_status, segment

if TYPE_CHECKING:
    from services.notifier.events.published_event import PublishedEvent

LOCAL = "http://127.0.0.1:8403"
_SUFFIXES = {"email": "html", "slack": "json", "teams": "json", "webhook": "json"}


def render(
    events: Annotated[
        list[str],
        typer.Argument(metavar="EVENT…", help="An event's id, or a file that holds one; several go out together."),
    ],
    *,
    language: Annotated[str, typer.Option("--lang", metavar="CODE", help="A language by its code, such as es.")] = "en",
    channel: Annotated[str, typer.Option(help="email, slack, teams or webhook.")] = "email",
    zone: Annotated[str, typer.Option(help="The reader's time zone, as America/Mexico_City.")] = "America/Mexico_City",
    portal: Annotated[str, typer.Option(envvar="PORTAL_URL", help="Where the links lead.")] = "http://127.0.0.1:8404",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Write it to a file, and open that.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Of a mail the text, not the HTML.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document with subject and body instead of the body.")
    ] = False,
    url: Annotated[str, typer.Option(envvar="NOTIFIER_URL", help="Where the notifier answers.")] = LOCAL,
    key: Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key, to look an event up.")] = "",
) -> None:
    """Show what would be sent of an event, in a language and on a channel; nothing is sent.

    A mail is shown as its HTML, a chat's message as the JSON that is posted.
    """
    found = [_from_file(Path(event)) if _is_file(event) else _looked_up(event, url, key) for event in events]
    subject, made = _rendered(found, channel, language, zone, portal.rstrip("/"), as_text=text)
    suffix = "txt" if text and channel == "email" else _SUFFIXES[channel]
    if as_json:
        body = json.loads(made) if suffix == "json" else made
        document = {"channel": channel, "language": language, "subject": subject, "body": body}
        made, suffix = json.dumps(document, ensure_ascii=False, indent=2), "json"
    elif subject:
        typer.echo(f"Subject: {subject}", err=True)
    if not (out or show):
        typer.echo(made)
        return
    file = out or _temporary(f"{found[0].told_as}.{channel}.{language}.{suffix}")
    try:
        file.write_text(made, encoding="utf-8")
    except OSError as error:
        raise EmbeddedError(f"can't write {file}: {error.strerror or error}", "name another file with --out") from error
    typer.echo(str(file))
    if show:
        typer.launch(str(file))


def _is_file(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return True
    return False


def _from_file(path: Path) -> "PublishedEvent":
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmbeddedError(
            f"can't read {path}: {getattr(error, 'strerror', None) or 'it is no JSON'}",
            "give an event's id, or a file that holds an event as a webhook gets it",
            NOT_FOUND if isinstance(error, FileNotFoundError) else ASKED_WRONGLY,
        ) from error
    return _event_in(document, str(path))


def _looked_up(id_: str, url: str, key: str) -> "PublishedEvent":
    client = CommandClient("notifier", "NOTIFIER_URL", "--url", url, _explain, key or None)
    return _event_in(client.ask("GET", f"/events/{segment(id_)}"), url)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    advice = {
        401: "give an API key in PLEDGEWIRE_KEY, or with --key",
        403: "the key needs the role subscriber, editor or operator",
        404: "copy the id from the log of deliveries, or from the page of the commitment",
    }.get(refusal.status, refusal.detail or "see the notifier's log")
    return refusal.title, advice, exit_status(refusal.status)


def _event_in(document: Any, where: str) -> "PublishedEvent":
    """The event of a CloudEvent in JSON, or of a record as contracts/examples has them."""
    from pydantic import TypeAdapter, ValidationError

    from contracts.topics import ALL
    from contracts.vocabulary import Instant
    from services.notifier.events.published_event import PublishedEvent

    try:
        if "headers" in document:
            attributes = {name.removeprefix("ce_"): text for name, text in document["headers"].items()}
            topic, value = document["topic"], document["value"]
        else:
            attributes, value = document, document["data"]
            topic = next(topic.name for topic in ALL if topic.event_type == document["type"])
        time = TypeAdapter(Instant).validate_python(attributes["time"])
        written = json.dumps(value, ensure_ascii=False).encode()
        event = PublishedEvent(UUID(attributes["id"]), topic, time, written)
        _ = event.data
    except (LookupError, TypeError, AttributeError, StopIteration, ValidationError, ValueError) as error:
        raise EmbeddedError(
            f"what {where} holds is no event that people are told of",
            "give an event as a webhook gets it, or one of contracts/examples",
            ASKED_WRONGLY,
        ) from error
    return event


def _rendered(
    events: "Sequence[PublishedEvent]", channel: str, language: str, zone: str, portal: str, *, as_text: bool
) -> tuple[str | None, str]:
    """The subject where there is one, and what is sent, for a reader who follows everything."""
    from contracts.filters import Filters
    from services.i18n.languages import languages_to_ask_for, written_as
    from services.notifier.channels import CHANNELS, FOR_PEOPLE
    from services.notifier.channels.channel import MailedChannel, PostedChannel
    from services.notifier.channels.mail_addresses import NamedAddress
    from services.notifier.delivery.messages import matched_by, render_event, render_group
    from services.notifier.events.published_event import AS_NEWS
    from services.notifier.rendering.footer_reason import Concern
    from services.notifier.rendering.page_links import PageLinks
    from services.notifier.rendering.reader import Reader
    from services.plumbing.zones import UnknownZone, zone_named

    _check(channel in CHANNELS, f"there is no channel {channel}", f"use one of {', '.join(CHANNELS)}")
    there = ", ".join(languages_to_ask_for())
    _check(written_as(language) is not None, f"nobody is written to in {language}", f"use one of {there}")
    _check(
        len(events) == 1 or channel in FOR_PEOPLE, f"{channel} gets every event by itself", "name one event at a time"
    )
    try:
        zone_named(zone)
    except UnknownZone as error:
        raise EmbeddedError(f"there is no zone {zone}", "write one as America/Mexico_City", ASKED_WRONGLY) from error
    links, example = PageLinks(portal, str), UUID(int=0)
    reader = Reader(example, example, "reader@example.org", zone, Filters(), f"{portal}/unsubscribe/{example}")
    if len(events) == 1:
        one = render_event(events[0], channel, language, links)
        template, values = one.template, one.values_for(reader)
    else:
        several = render_group([(event, AS_NEWS) for event in events], channel, language, links)
        concern = Concern(reader.filters, tuple(matched_by(event) for event in events))
        template, values = several.template, several.values_for(reader, [concern])
    match CHANNELS[channel]:
        case PostedChannel() as posted:
            return None, _indented(posted.body(template, values))
        case MailedChannel() as mailed:
            sender = NamedAddress("Pledgewire", "notices@example.org")
            return _read(mailed.mail(template, reader, values, sender=sender, at=events[-1].time), as_text=as_text)


def _read(mail: bytes, *, as_text: bool) -> tuple[str, str]:
    """Subject and body of a mail as a mail program shows them."""
    from email import message_from_bytes
    from email.policy import SMTP

    letter = message_from_bytes(mail, policy=SMTP)
    parts = {part.get_content_subtype(): part for part in letter.walk() if not part.is_multipart()}
    return str(letter["Subject"]), str(parts["plain" if as_text else "html"].get_content())


def _check(holds: bool, what: str, advice: str) -> None:
    if not holds:
        raise EmbeddedError(what, advice, ASKED_WRONGLY)


def _indented(body: bytes) -> str:
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)


def _temporary(name: str) -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="pledgewire-")) / name
