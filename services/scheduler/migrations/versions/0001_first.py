"""The scheduler's first tables."""

from services.plumbing.inbox import INBOX_V1
from services.plumbing.migrations import run_sql
from services.plumbing.outbox import OUTBOX_V1

revision = "0001"
down_revision = None

SCHEDULER_V1 = """
create table commitment_state (
    commitment_id text primary key,
    overall text not null,
    seq integer not null,
    whole jsonb,
    countries jsonb not null
);
comment on column commitment_state.seq is 'of the newest status-changed heard; 0 before the first';
comment on column commitment_state.whole is '{status, seq}: the newest word on the commitment as a whole';
comment on column commitment_state.countries is '{country: {status, seq}}: the newest word on each country';

create table milestone_plan (
    milestone_id text primary key,
    commitment_id text not null references commitment_state,
    schedule_version integer not null,
    commitment jsonb not null,
    milestone jsonb not null,
    settled boolean not null,
    correlation_id text
);
create index milestone_plan_commitment on milestone_plan (commitment_id);
comment on column milestone_plan.settled is 'its reminders are withdrawn: the commitment is met or withdrawn';

create table reminder (
    id bigint generated always as identity primary key,
    milestone_id text not null references milestone_plan,
    schedule_version integer not null,
    step text not null,
    due_at timestamptz not null,
    state text not null check (state in ('pending', 'fired', 'passed', 'merged', 'withdrawn', 'failed')),
    fired_at timestamptz,
    event_id uuid,
    reason text,
    unique (milestone_id, schedule_version, step),
    check ((state in ('fired', 'merged')) = (event_id is not null)),
    check ((state = 'failed') = (reason is not null))
);
create index reminder_due on reminder (due_at, id) where state = 'pending';
create index reminder_done on reminder (state, due_at, id) where state <> 'pending';
comment on column reminder.fired_at is 'business time at which it was told, or found to be untellable';
comment on column reminder.event_id is 'the milestone-due that told it';

create table tick (
    one boolean primary key default true check (one),
    business_at timestamptz,
    ticked_at timestamptz,
    zone_data text not null default ''
);
insert into tick default values;
comment on column tick.business_at is 'the business instant up to which all that is due has been told';
comment on column tick.ticked_at is 'when that was, by the clock of the database';
comment on column tick.zone_data is 'release of the zone data that due_at was computed with';
"""


def upgrade() -> None:
    """Make them."""
    run_sql(SCHEDULER_V1)
    run_sql(OUTBOX_V1)
    run_sql(INBOX_V1)


def downgrade() -> None:
    """Drop them, and every reminder with them."""
    run_sql(
        """
        drop table tick, reminder, milestone_plan, commitment_state;
        drop table inbox;
        drop table outbox, outbox_seq, outbox_lease;
        """
    )
