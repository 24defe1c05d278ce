"""What the codes of the contracts are called where people read. One that isn't in a table is shown by its code."""

from collections.abc import Iterable

from contracts.vocabulary import Status, Strength
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
    Strength.COMMIT: N_("a commitment"),
    Strength.INTEND: N_("an intention"),
    Strength.REAFFIRM: N_("reaffirmed from before"),
    Strength.SUPPORT: N_("an expression of support"),
    Strength.INVITE: N_("an invitation"),
}

MINISTRIES = {
    "ca-gac": N_("Global Affairs Canada"),
    "mx-sre": N_("Ministry of Foreign Affairs of Mexico"),
    "us-dos": N_("U.S. Department of State"),
}

FOLLOWED_EVENTS = {
    "commitment-created": N_("new commitments"),
    "milestone-scheduled": N_("dates"),
    "milestone-due": N_("reminders"),
    "milestone-escalated": N_("escalations"),
    "status-changed": N_("changes of status"),
    "consistency-flagged": N_("what does not agree in the register"),
}
"""What a subscription asks for, by the event's topic."""


def country_names(codes: Iterable[str], words: Words) -> list[str]:
    """`Canada`, `Mexique`, `États-Unis`."""
    return [words.locale.territories[str(code)] for code in codes]


def country_list(codes: Iterable[str], words: Words) -> str:
    """Countries by their everyday names, as a list in prose."""
    return words.listed(country_names(codes, words))


def theme_title(slug: str, words: Words) -> str:
    """The theme's title, as on the register's pages; made from its code when we don't know it."""
    return words.gettext(THEMES[slug][1]) if slug in THEMES else _from_code(slug)


def short_theme(slug: str, words: Words) -> str:
    """The theme in a word or two, for a subject line."""
    return words.gettext(THEMES[slug][0]) if slug in THEMES else _from_code(slug)


def ministry_name(code: str, words: Words) -> str:
    """A ministry's name; its code when we don't know it."""
    return words.gettext(MINISTRIES[code]) if code in MINISTRIES else code.upper()


def status_name(status: Status, words: Words) -> str:
    """A status in a word or two."""
    return words.gettext(STATUSES[status])


def _from_code(slug: str) -> str:
    return capitalized(slug.replace("-", " "))
