"""Ministries into the register: who may report, and for which party."""

from collections.abc import Iterable

from services.plumbing.database import Connection
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import audit_change, ministry_facts
from services.registry.actions.events import ActionContext
from services.registry.catalogue.contents import Ministry
from services.registry.rules.errors import AlreadyExists, Invalid, ResourceNotFound, at
from services.registry.rules.parties import check_known
from services.registry.store.ministries import add_ministry, find_ministries, put_ministry

DEAD = "-dead"


async def create_ministry(connection: Connection, ministry: Ministry, context: ActionContext) -> None:
    """Enter a ministry.

    Raises `UnknownParty`, `Invalid` for a code that can't be, and `AlreadyExists` for one that is taken.
    """
    _check_party(ministry)
    if ministry.code.endswith(DEAD):
        raise Invalid(Sentence("No code ends with %(dead)s: topics of dead letters do", dead=DEAD), **at("code"))
    if not await add_ministry(connection, ministry, context.client, context.now):
        raise AlreadyExists(Sentence("There is a ministry %(code)s already", code=ministry.code))
    await _audit_entered(connection, ministry, context)


async def change_ministry(connection: Connection, ministry: Ministry, context: ActionContext) -> None:
    """Say anew what a ministry is called and how it is reached.

    Raises `ResourceNotFound`, and `Invalid` where it is said to be another party's: what it has reported stays its own.
    """
    known = (await find_ministries(connection, [ministry.code])).get(ministry.code)
    if known is None:
        raise ResourceNotFound(Sentence("There is no ministry %(code)s", code=ministry.code))
    if known.party != ministry.party:
        raise Invalid(
            Sentence("The ministry %(code)s is %(party)s's, and stays so", code=ministry.code, party=known.party),
            **at("party"),
        )
    await put_ministry(connection, ministry, context.now)
    before, after = ministry_facts(known, context), ministry_facts(ministry, context)
    await audit_change(connection, context, "ministry.changed", f"ministry/{ministry.code}", before, after)


async def enter_missing(connection: Connection, ministries: Iterable[Ministry], context: ActionContext) -> None:
    """Enter those of a catalogue's ministries that aren't known yet; what is known stays as it is."""
    for ministry in ministries:
        _check_party(ministry)
        if await add_ministry(connection, ministry, context.client, context.now):
            await _audit_entered(connection, ministry, context)


async def _audit_entered(connection: Connection, ministry: Ministry, context: ActionContext) -> None:
    facts = ministry_facts(ministry, context)
    await audit_change(connection, context, "ministry.entered", f"ministry/{ministry.code}", None, facts)


def _check_party(ministry: Ministry) -> None:
    """An organisation may have a ministry before any statement tells of it."""
    is_organisation = ministry.party.startswith("org-")
    check_known(ministry.party, {ministry.party} if is_organisation else (), "party")
