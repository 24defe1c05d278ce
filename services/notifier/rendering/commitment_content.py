"""Content of the messages about a commitment itself: it has entered the register, its status has changed."""

from urllib.parse import urlsplit

from contracts.events import CommitmentCreated, StatusChanged
from services.i18n.names import language_name, reporter_name, status_name, strength_name
from services.i18n.prose import marked, marked_text
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import (
    EventMessage,
    Fact,
    MessageLink,
    NewsItem,
    Quotation,
    compose,
    context_facts,
    marked_party,
)


def created_content(event: CommitmentCreated, words: Words, url: str) -> EventMessage:
    """A new commitment: the document, its strength and its exact words; `url` is the commitment's page."""
    statement = event.statement
    document = marked_text(statement.title, event.commitment.language, words)
    facts = [
        Fact(
            words.gettext("Made in"),
            words.gettext("%(statement)s, %(day)s", statement=words.quoted(document), day=words.day(statement.made_on)),
        ),
        Fact(words.gettext("Its words are"), strength_name(event.strength, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        *context_facts(event.commitment, event.commitment.parties, words),
    ]
    if event.lead_ministries:
        facts.append(Fact(words.gettext("Led by"), " · ".join(plain(name) for name in event.lead_ministries)))
    links = [MessageLink(words.gettext("Read the statement"), statement.url)] if statement.url else []
    return compose(
        event.commitment,
        words,
        url,
        item=NewsItem("created", f"commitment {event.commitment.id}", event.commitment.id),
        latest=words.gettext("new commitment"),
        lead=marked_text(event.summary, event.commitment.language, words, instead=document),
        facts=facts,
        quotation=_exact_words(event, words),
        links=links,
    )


def status_content(event: StatusChanged, words: Words, url: str) -> EventMessage:
    """What the status of a party was and is, what the whole's is by it, and who reported it."""
    name, status = marked_party(event.party, event.commitment, words), status_name(event.status, words)
    if event.previous == event.status:
        lead = words.gettext("Its status is the same as before; more is known of it.")
    else:
        lead = words.line(words.gettext("Before"), status_name(event.previous, words))
    facts = [
        Fact(words.gettext("Reported by"), marked(reporter_name(event.reported_by, words), words)),
        Fact(words.gettext("Reported on"), placeholders.moment(event.reported_at)),
    ]
    if len(event.commitment.parties) > 1:
        facts.insert(0, Fact(words.gettext("Status as a whole"), status_name(event.overall, words)))
    links = []
    if event.evidence:
        shown = plain(event.evidence.title, instead=plain(_host(event.evidence.url)))
        facts.append(Fact(words.gettext("Evidence"), shown))
        links.append(MessageLink(words.gettext("Open the evidence"), event.evidence.url))
    # The reporter's words carry no language, so none is claimed for them.
    note = Quotation(words.gettext("Note, as reported (not translated)"), plain(event.note)) if event.note else None
    return compose(
        event.commitment,
        words,
        url,
        item=NewsItem("status", f"status {event.commitment.id} {event.party}", event.commitment.id),
        latest=words.gettext("%(party)s %(status)s", party=name, status=status),
        headline=words.line(name, status),
        lead=lead,
        facts=[*facts, *context_facts(event.commitment, event.commitment.parties, words)],
        quotation=note,
        links=links,
    )


def _host(url: str) -> str:
    """The host of a link; all of it when it is none that can be read."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _exact_words(event: CommitmentCreated, words: Words) -> Quotation:
    label, language = words.gettext("The exact words"), event.commitment.language
    if not words.speaks(language):
        label = words.gettext("%(label)s (in %(language)s)", label=label, language=language_name(language, words))
    return Quotation(label, plain(event.quote.text), language)
