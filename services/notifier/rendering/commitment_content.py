"""Content of the messages about a commitment itself: it has entered the register, its status has changed."""

from urllib.parse import urlsplit

from contracts.events import CommitmentCreated, StatusChanged
from contracts.vocabulary import Country
from services.i18n.names import country_names, ministry_name, status_name, strength_name
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import (
    BeforeAndAfter,
    EventMessage,
    Fact,
    MessageLink,
    Quotation,
    compose,
    context_facts,
)


def created_content(event: CommitmentCreated, words: Words, url: str) -> EventMessage:
    """A new commitment: the document, its strength and its exact words; `url` is the commitment's page."""
    statement = event.statement
    document = plain(statement.title.in_language(words.language))
    facts = [
        Fact(
            words.gettext("Made in"),
            words.gettext("%(statement)s, %(day)s", statement=words.quoted(document), day=words.day(statement.made_on)),
        ),
        Fact(words.gettext("Its words are"), strength_name(event.strength, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        *context_facts(event.commitment, event.commitment.countries, words),
    ]
    if event.lead_ministries:
        facts.append(Fact(words.gettext("Led by"), " · ".join(plain(name) for name in event.lead_ministries)))
    links = [MessageLink(words.gettext("Read the statement"), statement.url)] if statement.url else []
    return compose(
        event.commitment,
        event.commitment.countries,
        words,
        url,
        latest=words.gettext("new commitment"),
        lead=plain(event.summary.in_language(words.language), instead=document),
        facts=facts,
        quotation=_as_written(words.gettext("The exact words"), event.quote.text, words),
        links=links,
    )


def status_content(event: StatusChanged, words: Words, url: str) -> EventMessage:
    """What the status was and is, as a whole or for one country, and who reported it."""
    before, after = (status_name(status, words) for status in (event.previous, event.status))
    facts = []
    if event.country is None:
        latest = after
        lead = words.gettext("The status of this commitment has changed.")
        label = words.gettext("Status")
        countries: tuple[Country, ...] = event.commitment.countries
    else:
        name = country_names([event.country], words)[0]
        latest = words.gettext("%(country)s: %(status)s", country=name, status=after)
        lead = words.gettext("The status of this commitment has changed for one country.")
        label = words.gettext("Status, %(country)s", country=name)
        countries = (event.country,)
        facts.append(Fact(words.gettext("Status as a whole"), status_name(event.overall, words)))
    reporter = event.reported_by
    who = ministry_name(reporter.ministry, words) if reporter.ministry else reporter.client
    facts += [
        Fact(words.gettext("Reported by"), who),
        Fact(words.gettext("Reported on"), placeholders.moment(event.reported_at)),
    ]
    links = []
    if event.evidence:
        shown = plain(event.evidence.title or "", instead=plain(_host(event.evidence.url)))
        facts.append(Fact(words.gettext("Evidence"), shown))
        links.append(MessageLink(words.gettext("Open the evidence"), event.evidence.url))
    # The reporter's words carry no language, so none is claimed for them.
    note = Quotation(words.gettext("Note, as reported (not translated)"), plain(event.note)) if event.note else None
    return compose(
        event.commitment,
        countries,
        words,
        url,
        latest=latest,
        headline=words.gettext("Status: %(status)s", status=latest) if event.country is None else None,
        lead=lead,
        change=BeforeAndAfter(label, before, after),
        facts=[*facts, *context_facts(event.commitment, event.commitment.countries, words)],
        quotation=note,
        links=links,
    )


def _host(url: str) -> str:
    """The host of a link; all of it when it is none that can be read."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _as_written(label: str, text: str, words: Words) -> Quotation:
    shown = label if words.language == "en" else words.gettext("%(label)s (in English)", label=label)
    return Quotation(shown, plain(text), "en")
