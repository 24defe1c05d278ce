"""What the codes of commitments and of those whom they bind are called where people read.

Every word of the contracts' lists is in a table here or in `event_names` and `delivery_names`; one of a later release
is shown as "other". Of what others may add (themes, levels) one that isn't there is shown by its code. Countries are
called as CLDR calls them; what organisations and ministries are called, the record says.
"""

from collections.abc import Iterable, Mapping

from contracts.commitments import Organisation
from contracts.events import Reporter
from contracts.vocabulary import Assessment, Reading, ShownText, Status, Strength
from services.i18n.catalogue import N_
from services.i18n.languages import SOURCE
from services.i18n.text import capitalized, plain, shorten
from services.i18n.words import Words

THEMES = {
    "biodiversity": N_("Biodiversity"),
    "climate": N_("Climate action"),
    "democracy": N_("Democracy and human rights"),
    "development": N_("Development cooperation"),
    "dialogue": N_("North American dialogue"),
    "digital": N_("Cyberspace and digital access"),
    "energy": N_("Energy"),
    "equity": N_("Equity and inclusion"),
    "finance": N_("Finance"),
    "health": N_("Health"),
    "migration": N_("Migration and protection"),
    "nature": N_("Nature and oceans"),
    "security": N_("Security and disaster response"),
    "small-business": N_("Small and medium enterprises"),
    "supply-chains": N_("Supply chains"),
    "trade": N_("Trade and investment"),
    "transport": N_("Transportation"),
    "work": N_("Labor rights and skills"),
}
"""The register's list of themes."""

STATUSES = {
    Status.ANNOUNCED: N_("announced"),
    Status.IN_PROGRESS: N_("in progress"),
    Status.AT_RISK: N_("at risk"),
    Status.MET: N_("met"),
    Status.PARTLY_MET: N_("partly met"),
    Status.MISSED: N_("missed"),
    Status.WITHDRAWN: N_("withdrawn"),
}

ASSESSMENTS = {
    Assessment.ACHIEVED: N_("achieved"),
    Assessment.ON_TRACK: N_("on track"),
    Assessment.STALLED: N_("stalled"),
    Assessment.OFF_TRACK: N_("off track"),
    Assessment.NOT_ACHIEVED: N_("not achieved"),
    Assessment.UNCLEAR: N_("unclear"),
}
"""What independent assessors say; other words than those of statuses, which they are not."""

STRENGTHS = {
    Strength.COMMIT: (N_("a commitment"), N_("Firm commitment")),
    Strength.INTEND: (N_("an intention"), N_("Intention")),
    Strength.REAFFIRM: (N_("reaffirmed from before"), N_("Reaffirmation")),
    Strength.SUPPORT: (N_("an expression of support"), N_("Support")),
    Strength.INVITE: (N_("an invitation"), N_("Invitation")),
}
"""As what the words are, in a line of a message; and as how firm they are, on a page."""

READINGS = {
    Reading.ON: N_("it happens then"),
    Reading.BY: N_("to be done when this ends"),
    Reading.DURING: N_("to be done in the course of this"),
    Reading.FROM: N_("it begins then"),
    Reading.RECURRING: N_("it comes again and again"),
    Reading.UNDATED: N_("the words give no date"),
}

LEVELS = {
    "focal-point": N_("Focal point"),
    "director": N_("Director"),
    "ministers-office": N_("Minister’s office"),
}
"""Who is asked about what is overdue, by the levels of the escalation book."""

_LONGEST_NAME = 160
"""Characters of a name that a record gives: it stands in headlines."""

OTHER = N_("other")
"""A word of a list that a later release has added."""


def shown_party(
    code: str, words: Words, organisations: Iterable[Organisation] = (), original: str = SOURCE
) -> ShownText:
    """A party's name, and the language that it is in: an organisation's may not be there in that of the words.

    `organisations` are those that the record tells of, `original` is its language; a party that nobody has a name for
    is shown by its code.
    """
    name = next((one.name for one in organisations if one.code == code), None)
    if name is not None:
        shown = name.in_language(words.language, original)
        return shown._replace(text=shorten(plain(shown.text, instead=code), _LONGEST_NAME))
    return ShownText(str(words.locale.territories.get(code, code)), words.language)


def party_name(code: str, words: Words, organisations: Iterable[Organisation] = (), original: str = SOURCE) -> str:
    """A party's everyday name: `États-Unis`, `Union européenne`."""
    return shown_party(code, words, organisations, original).text


def party_names(
    codes: Iterable[str], words: Words, organisations: Iterable[Organisation] = (), original: str = SOURCE
) -> list[str]:
    """`Canada`, `Mexique`, `États-Unis`."""
    known = tuple(organisations)
    return [party_name(code, words, known, original) for code in codes]


def party_list(
    codes: Iterable[str], words: Words, organisations: Iterable[Organisation] = (), original: str = SOURCE
) -> str:
    """Parties by their everyday names, as a list in prose."""
    return words.listed(party_names(codes, words, organisations, original))


def reporter_name(reporter: Reporter, words: Words, original: str = SOURCE) -> ShownText:
    """Who reported: the ministry by its name, else by its code; who speaks for none is one of the register's editors.

    What the client's credentials are called is nobody's business but the operator's.
    """
    if reporter.ministry is None:
        return ShownText(words.gettext("the register’s editors"), words.language)
    if reporter.ministry_name is None:
        return ShownText(reporter.ministry.upper(), words.language)
    shown = reporter.ministry_name.in_language(words.language, original)
    return shown._replace(text=shorten(plain(shown.text, instead=reporter.ministry.upper()), _LONGEST_NAME))


def language_name(code: str, words: Words) -> str:
    """A language's name."""
    named = words.locale.languages
    return str(named.get(code.replace("-", "_")) or named.get(code.partition("-")[0]) or code)


def theme_title(slug: str, words: Words) -> str:
    """The theme's title, as on the register's pages; made from its code when we don't know it."""
    return words.gettext(THEMES[slug]) if slug in THEMES else capitalized(spelled(slug))


def status_name(status: Status, words: Words) -> str:
    """A status in a word or two: `in progress`."""
    return words.gettext(STATUSES.get(status, OTHER))


def status_label(status: Status, words: Words) -> str:
    """A status that stands by itself: `In progress`."""
    return capitalized(status_name(status, words))


def assessment_label(assessment: Assessment, words: Words) -> str:
    """An assessor's view that stands by itself: `On track`."""
    return capitalized(words.gettext(ASSESSMENTS.get(assessment, OTHER)))


def strength_name(strength: Strength, words: Words) -> str:
    """As what the words of a commitment are meant: `an intention`."""
    return words.gettext(STRENGTHS[strength][0] if strength in STRENGTHS else OTHER)


def strength_label(strength: Strength, words: Words) -> str:
    """How firmly the words bind: `Firm commitment`."""
    return words.gettext(STRENGTHS[strength][1]) if strength in STRENGTHS else capitalized(words.gettext(OTHER))


def reading_name(reading: Reading, words: Words) -> str:
    """How a wording is read, in a few words."""
    return words.gettext(READINGS.get(reading, OTHER))


def level_name(level: str, words: Words) -> str:
    """A level of the escalation."""
    return name_in(LEVELS, level, words)


def name_in(table: Mapping[str, str], code: str, words: Words) -> str:
    """The name of a code; the code itself, spelled out, when the table does not have it."""
    return words.gettext(table[code]) if code in table else spelled(code)


def word_in(table: Mapping[str, str], word: str, words: Words) -> str:
    """What a word of an open list is called; "other" for one of a later release."""
    return words.gettext(table.get(word, OTHER))


def spelled(code: str) -> str:
    """A code as words: `deep sea`."""
    return code.replace("-", " ")
