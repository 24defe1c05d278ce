"""Who may be named: a country of ISO 3166-1, or an organisation of which the statement tells; and only who is bound."""

from collections.abc import Collection, Sequence

from contracts.vocabulary import PartyCode
from services.plumbing.capital_zones import capital_zones
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, RegistryError, at


class UnknownParty(RegistryError):
    """A party is a country of ISO 3166-1, or an organisation of which the statement tells."""

    kind = "unknown-party"
    title = Sentence("A party is a country of ISO 3166-1, or an organization of which the statement tells")


def check_known(party: PartyCode, organisations: Collection[PartyCode], *place: str | int) -> None:
    """Raise `UnknownParty`, about this place in the request, for a code that nobody has.

    `organisations` are those of which the statement tells.
    """
    if party not in capital_zones() and party not in organisations:
        raise UnknownParty(
            Sentence("No country has the code %(party)s, and no organization of this statement", party=party),
            **at(*place),
        )


def check_bound(
    named: Sequence[PartyCode],
    bound: Collection[PartyCode],
    organisations: Collection[PartyCode],
    refusal: Sentence,
    *place: str | int,
) -> None:
    """Raise, about its place in this list of the request, for the first of those named who isn't bound.

    `UnknownParty` for a code that nobody has, and `Invalid` with this refusal for anybody else.
    """
    for number, party in enumerate(named):
        check_known(party, organisations, *place, number)
        if party not in bound:
            raise Invalid(refusal, **at(*place, number))
