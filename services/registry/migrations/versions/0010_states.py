"""What has to be told of how commitments stand: marked by the tables themselves, in the transaction of the change.

All that there are when it comes in are marked, and so get their first state.
"""

from services.plumbing.migrations import run_sql

revision = "0010"
down_revision = "0009"

STATES = """
create table state_due (
    id bigint generated always as identity primary key,
    commitment_id text not null,
    marked_at timestamptz not null default clock_timestamp()
);
comment on table state_due is 'commitments of which something has changed that their state shows, once for each change';
create index state_due_of on state_due (commitment_id);
create table commitment_state (
    commitment_id text primary key,
    sha256 bytea not null
);
comment on table commitment_state is 'what was told last of each commitment, without its seq';
create index outbox_states on outbox (key, id) where topic = 'commitment-state';
"""
# On one line: the revision is cut into statements at the ends of lines.
MARK = (
    "create function mark_states() returns trigger language plpgsql as $$ begin"
    " if tg_table_name = 'commitment' then insert into state_due (commitment_id) select id from changed;"
    " elsif tg_table_name in ('milestone', 'assessment') then"
    " insert into state_due (commitment_id) select distinct commitment_id from changed;"
    " elsif tg_table_name = 'anchor' then insert into state_due (commitment_id)"
    " select distinct m.commitment_id from milestone m join changed a on a.id = m.anchor_id;"
    " else insert into state_due (commitment_id)"
    " select c.id from commitment c join changed s on s.id = c.statement_id;"
    " end if; perform pg_notify(current_schema() || '_states', ''); return null; end $$;\n"
)
TRIGGER = (
    "create trigger mark_states_{event} after {event} on {table} referencing new table as changed"
    " for each statement execute function mark_states();\n"
)
WATCHED = (
    ("commitment", "insert"),
    ("commitment", "update"),
    ("milestone", "insert"),
    ("milestone", "update"),
    ("assessment", "insert"),
    ("anchor", "update"),
    ("statement", "update"),
)
FILL = "insert into state_due (commitment_id) select id from commitment order by id;\n"


def upgrade() -> None:
    run_sql(STATES)
    run_sql(MARK)
    for table, event in WATCHED:
        run_sql(TRIGGER.format(table=table, event=event))
    run_sql(FILL)


def downgrade() -> None:
    for table, event in WATCHED:
        run_sql(f"drop trigger mark_states_{event} on {table}")
    run_sql(
        """
        drop function mark_states();
        drop index outbox_states;
        drop table commitment_state, state_due;
        """
    )
