"""Who is bound are parties, of whom some are organisations: what was called a country is called a party."""

from services.plumbing.migrations import run_sql

revision = "0007"
down_revision = "0006"


def _renamed(record: str, before: str, after: str) -> str:
    """SQL of a JSON record in which a member has another name; of one without it, as it is."""
    name = f"{record} - '{before}' || jsonb_build_object('{after}', {record} -> '{before}')"
    return f"(case when {record} -> '{before}' is null then {record} else {name} end)"


def _of_parties(commitment: str) -> str:
    return _renamed(commitment, "countries", "parties") + """ || '{"organisations": [], "language": "en"}'"""


def _of_countries(commitment: str) -> str:
    return _renamed(commitment, "parties", "countries") + " - 'organisations' - 'language'"


def _event(record: str, commitment: str, milestone: str) -> str:
    """SQL of an event's record with these in it; one without a milestone still has none."""
    of_milestone = (
        f"case when body -> 'milestone' is null then '{{}}' else jsonb_build_object('milestone', {milestone}) end"
    )
    return f"{record} || jsonb_build_object('commitment', {commitment}) || {of_milestone}"


PARTIES = f"""
alter table commitment_state rename column countries to parties;
alter table feed rename column countries to parties;
alter table calendar_entry rename column countries to parties;
alter table feed_event rename column countries to parties;
comment on column commitment_state.parties is '{{party: {{status, seq}}}}: the newest word on each party';
update milestone_plan set
    commitment = {_of_parties("commitment")}, milestone = {_renamed("milestone", "countries", "parties")};
update calendar_entry set
    commitment = {_of_parties("commitment")}, milestone = {_renamed("milestone", "countries", "parties")};
update chosen_ladder set choice = {_renamed("choice", "countries", "parties")};
update feed_event set body = {
    _event(
        _renamed("body", "country", "party"),
        _of_parties("(body -> 'commitment')"),
        _renamed("(body -> 'milestone')", "countries", "parties"),
    )
};
"""
COUNTRIES = f"""
update feed_event set body = {
    _event(
        _renamed("body", "party", "country"),
        _of_countries("(body -> 'commitment')"),
        _renamed("(body -> 'milestone')", "parties", "countries"),
    )
};
update chosen_ladder set choice = {_renamed("choice", "parties", "countries")};
update calendar_entry set
    commitment = {_of_countries("commitment")}, milestone = {_renamed("milestone", "parties", "countries")};
update milestone_plan set
    commitment = {_of_countries("commitment")}, milestone = {_renamed("milestone", "parties", "countries")};
comment on column commitment_state.parties is '{{country: {{status, seq}}}}: the newest word on each country';
alter table feed_event rename column parties to countries;
alter table calendar_entry rename column parties to countries;
alter table feed rename column parties to countries;
alter table commitment_state rename column parties to countries;
"""


def upgrade() -> None:
    """Rename them, in what is kept as JSON too."""
    run_sql(PARTIES)


def downgrade() -> None:
    """Name them as before; of organisations only their codes are left, which the older release can't read."""
    run_sql(COUNTRIES)
