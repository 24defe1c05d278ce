"""Who has been told that a milestone is overdue, and who owns it."""

from services.plumbing.migrations import run_sql

revision = "0004"
down_revision = "0003"

ESCALATION = """
create table escalation (
    milestone_id text primary key references milestone_plan,
    schedule_version integer not null,
    state text not null check (state in ('dormant', 'climbing', 'owned', 'settled')),
    round integer not null,
    since date,
    rank integer,
    told integer,
    acknowledged jsonb,
    next_at timestamptz,
    reckoned_with text not null,
    failed text,
    check ((since is not null) = (state in ('climbing', 'owned'))),
    check ((rank is not null and told is not null) = (state = 'climbing')),
    check (case state when 'owned' then acknowledged is not null when 'climbing' then true
           else acknowledged is null end)
);
create index escalation_due on escalation (next_at, milestone_id) where next_at is not null and failed is null;
create index escalation_open on escalation (state, next_at, milestone_id) where state in ('climbing', 'owned');
comment on column escalation.round is 'the round that goes on, or how many there have been';
comment on column escalation.since is 'the day from which the next wait, or the window for evidence, is counted';
comment on column escalation.rank is 'the level that heard last in this round; 0 before the first';
comment on column escalation.told is 'how often that level has heard in this round';
comment on column escalation.acknowledged is 'by whom it is owned; while it climbs, whose word was not followed';
comment on column escalation.next_at is 'when time alone changes it next; reckoned from the day and the waits';
comment on column escalation.reckoned_with is 'which zone data and which waits next_at rests on';
comment on column escalation.failed is 'why it can not be told; the next process tries again';

create table escalation_log (
    id bigint generated always as identity primary key,
    milestone_id text not null references escalation,
    schedule_version integer not null,
    what text not null check (what in ('overdue', 'told', 'skipped', 'acknowledged', 'evidence', 're-armed',
                                       'withdrawn', 'settled', 'reopened')),
    at timestamptz not null,
    round integer not null,
    rank integer,
    level text,
    repeat integer,
    due_at timestamptz,
    name text,
    note text,
    client text,
    event_id uuid,
    idem_key text,
    body_sha256 bytea,
    answer jsonb,
    check ((idem_key is not null) = (what = 'acknowledged')),
    check (what <> 'told' or (rank is not null and repeat is not null and event_id is not null))
);
create index escalation_log_milestone on escalation_log (milestone_id, id);
create unique index escalation_log_told on escalation_log (milestone_id, round, rank, repeat) where what = 'told';
create unique index escalation_log_asked on escalation_log (client, idem_key) where idem_key is not null;
comment on table escalation_log is 'only ever added to';
comment on column escalation_log.event_id is 'the milestone-escalated that told it, or the event that was heard';
comment on column escalation_log.answer is 'to the acknowledgement, for whoever sends it again with the same key';
"""


def upgrade() -> None:
    """Make them; the escalator begins the cases of the milestones that are there already."""
    run_sql(ESCALATION)


def downgrade() -> None:
    """Drop them, and every acknowledgement with them."""
    run_sql("drop table escalation_log, escalation")
