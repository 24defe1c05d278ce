"""Ladders as data, and those that subscriptions chose."""

from services.plumbing.migrations import run_sql

revision = "0002"
down_revision = "0001"

LADDERS = """
alter table reminder add column audience uuid;
alter table reminder drop constraint reminder_milestone_id_schedule_version_step_key;
alter table reminder add constraint reminder_key
    unique nulls not distinct (milestone_id, schedule_version, step, audience);
create index reminder_audience on reminder (audience, milestone_id) where audience is not null and state = 'pending';
comment on column reminder.audience is 'the subscription whose own ladder asks for it; null for all without one';

alter table milestone_plan add column scheduled_at timestamptz;
update milestone_plan set scheduled_at = coalesce((select business_at from tick), clock_timestamp());
alter table milestone_plan alter column scheduled_at set not null;
comment on column milestone_plan.scheduled_at is 'when it got this schedule: reviews are counted from that day';

create table ladder_book (
    version integer primary key,
    text text not null,
    sha256 text not null,
    applied_at timestamptz not null,
    applied_by text not null
);
comment on table ladder_book is 'every book that was applied; planning_rules says which one holds';

create table chosen_ladder (
    subscription_id uuid primary key,
    seq integer not null,
    choice jsonb not null,
    version bigint not null
);
create index chosen_ladder_version on chosen_ladder (version);
comment on column chosen_ladder.choice is 'the newest ladder-chosen of the subscription, whether or not it is active';
comment on column chosen_ladder.version is 'planning_rules.choices_version when it was written';

create table planning_rules (
    one boolean primary key default true check (one),
    book_version integer not null default 0,
    choices_version bigint not null default 0
);
insert into planning_rules default values;
comment on table planning_rules is
    'which rules hold now. Who plans something new holds it shared; who changes a rule holds it alone';

create table replanning (
    id bigint generated always as identity primary key,
    cause text not null check (cause in ('book', 'choice', 'zones')),
    subscription_id uuid,
    from_release text,
    to_release text,
    at timestamptz not null,
    place text not null default '',
    milestones integer not null default 0,
    added integer not null default 0,
    withdrawn integer not null default 0,
    moved integer not null default 0,
    passed integer not null default 0,
    finished_at timestamptz,
    check ((cause = 'choice') = (subscription_id is not null)),
    check ((cause = 'zones') = (from_release is not null and to_release is not null))
);
create index replanning_open on replanning (id) where finished_at is null;
comment on table replanning is 'planning anew after other rules or other zone data, commitment by commitment';
comment on column replanning.at is 'the instant as of which it is planned';
comment on column replanning.place is 'the last commitment that is done';
comment on column replanning.finished_at is 'by the clock of the database';

create table zone_change (
    id bigint generated always as identity primary key,
    milestone_id text not null references milestone_plan,
    step text not null,
    audience uuid,
    before timestamptz not null,
    after timestamptz not null,
    from_release text not null,
    to_release text not null,
    at timestamptz not null
);
comment on table zone_change is 'instants of pending reminders that are others by newer zone data';

-- What is pending was computed without jitter, and nothing was planned for what has no last day: all is to be computed
-- again at the next start.
update tick set zone_data = '';
"""


def upgrade() -> None:
    """Make them."""
    run_sql(LADDERS)


def downgrade() -> None:
    """Drop them, and the reminders of those ladders."""
    run_sql(
        """
        drop table zone_change, replanning, planning_rules, chosen_ladder, ladder_book;
        alter table milestone_plan drop column scheduled_at;
        delete from reminder where audience is not null or step !~ '^(before-[0-9]+d|on-the-day|after-[0-9]+d)$';
        alter table reminder drop constraint reminder_key;
        alter table reminder drop column audience;
        alter table reminder add constraint reminder_milestone_id_schedule_version_step_key
            unique (milestone_id, schedule_version, step);
        """
    )
