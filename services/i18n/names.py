"""What the codes of commitments and of those whom they bind are called where people read.

Every code of the contracts is in a table here or in `event_names` and `delivery_names`; of what others may add
(themes, ministries, levels), one that isn't is shown by its code.
"""

from collections.abc import Iterable, Mapping

from contracts.vocabulary import Reading, Status, Strength
from services.i18n.catalogue import N_
from services.i18n.text import capitalized
from services.i18n.words import Words

THEMES = {
    "biodiversity": (N_("Biodiversity"), N_("Biodiversity")),
    "climate": (N_("Climate"), N_("Climate action")),
    "democracy": (N_("Democracy"), N_("Democracy and human rights")),
    "development": (N_("Development"), N_("Development cooperation")),
    "dialogue": (N_("Dialogue"), N_("North American dialogue")),
    "digital": (N_("Digital"), N_("Cyberspace and digital access")),
    "energy": (N_("Energy"), N_("Energy")),
    "equity": (N_("Equity"), N_("Equity and inclusion")),
    "finance": (N_("Finance"), N_("Finance")),
    "health": (N_("Health"), N_("Health")),
    "migration": (N_("Migration"), N_("Migration and protection")),
    "nature": (N_("Nature"), N_("Nature and oceans")),
    "security": (N_("Security"), N_("Security and disaster response")),
    "small-business": (N_("Small business"), N_("Small and medium enterprises")),
    "supply-chains": (N_("Supply chains"), N_("Supply chains")),
    "trade": (N_("Trade"), N_("Trade and investment")),
    "transport": (N_("Transport"), N_("Transportation")),
    "work": (N_("Labor"), N_("Labor rights and skills")),
}
"""The register's list of themes: a short name for subject lines, and the title."""

STATUSES = {
    Status.ANNOUNCED: N_("announced"),
    Status.IN_PROGRESS: N_("in progress"),
    Status.AT_RISK: N_("at risk"),
    Status.MET: N_("met"),
    Status.PARTLY_MET: N_("partly met"),
    Status.MISSED: N_("missed"),
    Status.WITHDRAWN: N_("withdrawn"),
}

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

MINISTRIES = {
    "ca-gac": N_("Global Affairs Canada"),
    "mx-sre": N_("Ministry of Foreign Affairs of Mexico"),
    "us-dos": N_("U.S. Department of State"),
}

LEVELS = {
    "focal-point": N_("Focal point"),
    "director": N_("Director"),
    "ministers-office": N_("Minister’s office"),
}
"""Who is asked about what is overdue, by the levels of the escalation book."""


def country_name(code: str, words: Words) -> str:
    """A country's everyday name: `États-Unis`."""
    return str(words.locale.territories.get(str(code), code))


def country_names(codes: Iterable[str], words: Words) -> list[str]:
    """`Canada`, `Mexique`, `États-Unis`."""
    return [country_name(code, words) for code in codes]


def country_list(codes: Iterable[str], words: Words) -> str:
    """Countries by their everyday names, as a list in prose."""
    return words.listed(country_names(codes, words))


def language_name(code: str, words: Words) -> str:
    """A language's name."""
    return str(words.locale.languages.get(str(code), code))


def theme_title(slug: str, words: Words) -> str:
    """The theme's title, as on the register's pages; made from its code when we don't know it."""
    return words.gettext(THEMES[slug][1]) if slug in THEMES else capitalized(spelled(slug))


def short_theme(slug: str, words: Words) -> str:
    """The theme in a word or two, for a subject line."""
    return words.gettext(THEMES[slug][0]) if slug in THEMES else capitalized(spelled(slug))


def ministry_name(code: str, words: Words) -> str:
    """A ministry's name; its code when we don't know it."""
    return words.gettext(MINISTRIES[code]) if code in MINISTRIES else code.upper()


def status_name(status: Status, words: Words) -> str:
    """A status in a word or two: `in progress`."""
    return words.gettext(STATUSES[status])


def status_label(status: Status, words: Words) -> str:
    """A status that stands by itself: `In progress`."""
    return capitalized(status_name(status, words))


def strength_name(strength: Strength, words: Words) -> str:
    """As what the words of a commitment are meant: `an intention`."""
    return words.gettext(STRENGTHS[strength][0])


def strength_label(strength: Strength, words: Words) -> str:
    """How firmly the words bind: `Firm commitment`."""
    return words.gettext(STRENGTHS[strength][1])


def reading_name(reading: Reading, words: Words) -> str:
    """How a wording is read, in a few words."""
    return words.gettext(READINGS[reading])


def level_name(level: str, words: Words) -> str:
    """A level of the escalation."""
    return name_in(LEVELS, level, words)


def name_in(table: Mapping[str, str], code: str, words: Words) -> str:
    """The name of a code; the code itself, spelled out, when the table does not have it."""
    return words.gettext(table[code]) if code in table else spelled(code)


def spelled(code: str) -> str:
    """A code as words: `deep sea`."""
    return code.replace("-", " ")
