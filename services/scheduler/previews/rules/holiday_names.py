"""What holidays and provinces are called in the three languages.

The library `holidays` has English names for all, Spanish ones for Mexico and French ones for Canada only. So the
federal holidays of the three countries and those of Canada's provinces and territories are in our catalogue; a holiday
of a single state of the United States is called by its English name, and said to be in English.
"""

from dataclasses import dataclass

from services.i18n.catalogue import N_
from services.i18n.names import party_name
from services.i18n.words import Words
from services.plumbing.business_days import DayOff, holiday_in_english, regional_calendar

HOLIDAYS = {
    "benito-juarezs-birthday": N_("Benito Juárez’s birthday"),
    "boxing-day": N_("Boxing Day"),
    "british-columbia-day": N_("British Columbia Day"),
    "canada-day": N_("Canada Day"),
    "change-of-federal-government": N_("Change of federal government"),
    "christmas-day": N_("Christmas Day"),
    "civic-holiday": N_("Civic Holiday"),
    "columbus-day": N_("Columbus Day"),
    "constitution-day": N_("Constitution Day"),
    "discovery-day": N_("Discovery Day"),
    "family-day": N_("Family Day"),
    "funeral-of-her-majesty-the-queen-elizabeth-ii": N_("Funeral of Queen Elizabeth II"),
    "good-friday": N_("Good Friday"),
    "heritage-day": N_("Heritage Day"),
    "independence-day": N_("Independence Day"),
    "islander-day": N_("Islander Day"),
    "juneteenth-national-independence-day": N_("Juneteenth"),
    "labor-day": N_("Labor Day"),
    "louis-riel-day": N_("Louis Riel Day"),
    "martin-luther-king-jr-day": N_("Martin Luther King Jr. Day"),
    "memorial-day": N_("Memorial Day"),
    "national-aboriginal-day": N_("National Indigenous Peoples Day"),
    "national-day-for-truth-and-reconciliation": N_("National Day for Truth and Reconciliation"),
    "national-patriots-day": N_("National Patriots’ Day"),
    "new-brunswick-day": N_("New Brunswick Day"),
    "new-years-day": N_("New Year’s Day"),
    "nunavut-day": N_("Nunavut Day"),
    "remembrance-day": N_("Remembrance Day"),
    "revolution-day": N_("Revolution Day"),
    "saint-john-the-baptist-day": N_("Saint John the Baptist Day"),
    "saskatchewan-day": N_("Saskatchewan Day"),
    "thanksgiving-day": N_("Thanksgiving Day"),
    "veterans-day": N_("Veterans Day"),
    "victoria-day": N_("Victoria Day"),
    "washingtons-birthday": N_("Washington’s Birthday"),
}
"""By their ids, without ` (observed)`."""

PROVINCES = {
    "AB": N_("Alberta"),
    "BC": N_("British Columbia"),
    "MB": N_("Manitoba"),
    "NB": N_("New Brunswick"),
    "NL": N_("Newfoundland and Labrador"),
    "NS": N_("Nova Scotia"),
    "NT": N_("Northwest Territories"),
    "NU": N_("Nunavut"),
    "ON": N_("Ontario"),
    "PE": N_("Prince Edward Island"),
    "QC": N_("Quebec"),
    "SK": N_("Saskatchewan"),
    "YT": N_("Yukon"),
}

_OBSERVED = "-observed"


@dataclass(frozen=True)
class HolidayName:
    """A holiday's name, and in which language it is."""

    text: str
    language: str


def holiday_name(off: DayOff, words: Words) -> HolidayName:
    """A holiday in these words' language, or in English where it has no other name. `off` is a holiday."""
    id_ = off.holiday or ""
    if name := HOLIDAYS.get(id_):
        return HolidayName(words.gettext(name), words.language)
    if name := HOLIDAYS.get(id_.removesuffix(_OBSERVED)):
        # A holiday that falls on a weekend is kept on another day.
        return HolidayName(words.gettext("%(holiday)s, observed", holiday=words.gettext(name)), words.language)
    return HolidayName(holiday_in_english(off), "en")


def calendar_place(name: str, words: Words) -> str:
    """Whose calendar it is: `Canada`, `Ontario`, `United States, TX`."""
    calendar = regional_calendar(name)
    if calendar.subdivision is None:
        return party_name(calendar.owner, words)
    if calendar.owner == "CA" and calendar.subdivision in PROVINCES:
        return words.gettext(PROVINCES[calendar.subdivision])
    return f"{party_name(calendar.owner, words)}, {calendar.subdivision}"
