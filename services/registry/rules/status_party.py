"""Whose status a report is about: a ministry's own party's, or the one that an editor names; and only who is bound."""

from collections.abc import Collection

from contracts.vocabulary import PartyCode
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, RegistryError, at
from services.registry.rules.parties import check_known


class NotYourParty(RegistryError):
    """A ministry reports for its own party, and for no other."""

    kind = "not-your-party"
    title = Sentence("A ministry reports for its own party, and for no other")


class PartyNotBound(RegistryError):
    """The commitment does not bind this party."""

    kind = "party-not-bound"
    title = Sentence("The commitment does not bind this party")


def party_of_report(
    own: PartyCode | None, named: PartyCode | None, bound: Collection[PartyCode], made_by: Collection[PartyCode]
) -> PartyCode:
    """The party that a report is about.

    `own` is the reporting ministry's, None for an editor; `bound` are the parties of the commitment, `made_by` those
    of its statement. Raises `NotYourParty`, `PartyNotBound`, `UnknownParty`, or `Invalid` where an editor names none.
    """
    if own is None:
        if named is None:
            raise Invalid(
                Sentence("Name the party: the whole's status follows from those of all parties"), **at("party")
            )
        check_known(named, made_by, "party")
    elif named not in (None, own):
        raise NotYourParty(
            Sentence("A ministry of %(own)s does not report for %(named)s", own=own, named=named), **at("party")
        )
    party = own or named or ""
    if party not in made_by:
        raise PartyNotBound(
            Sentence("%(party)s is no party of the statement that made this commitment", party=party), **at("party")
        )
    if party not in bound:
        raise PartyNotBound(Sentence("The commitment does not bind %(party)s", party=party), **at("party"))
    return party
