"""Anchors that have an outcome and a successor; what does not agree with itself."""

from services.plumbing.migrations import run_sql

revision = "0003"
down_revision = "0002"

ANCHORS = """
alter table anchor
    add column local_time text,
    add column outcome text check (outcome in ('held', 'cancelled')),
    add column successor_id text references anchor,
    add constraint anchor_that_is_succeeded_is_off check (successor_id is null or outcome = 'cancelled');
comment on column anchor.local_time is 'when it begins on the wall clocks of its zone';

alter table anchor_news
    add column local_time text,
    drop constraint anchor_news_change_check,
    add constraint anchor_news_change_check
        check (change in ('first', 'moved', 'more-precise', 'unchanged', 'cancelled', 'held', 'succeeded'));
alter table milestone_schedule
    drop constraint milestone_schedule_change_check,
    add constraint milestone_schedule_change_check
        check (change in ('first', 'moved', 'more-precise', 'cancelled', 'held'));

alter table milestone
    add column "offset" jsonb,
    add column local_time text,
    add column review_months integer check (review_months between 1 and 120),
    add column wording_language text not null default 'en',
    add constraint milestone_offset_is_from_an_anchor check ("offset" is null or anchor_id is not null);

create table statement_copy (
    statement_id text not null references statement,
    url text not null,
    sha256 text not null,
    received_at timestamptz not null,
    received_by text not null,
    primary key (statement_id, url, sha256)
);
comment on table statement_copy is 'where else the same words were found; the bytes that came have the SHA-256';

create table consistency_flag (
    id bigint generated always as identity primary key,
    rule text not null
        check (rule in ('past-due-in-progress', 'met-with-open-milestones', 'no-news', 'anchor-without-outcome')),
    subject text not null,
    since date not null,
    commitment_id text references commitment,
    milestone_id text references milestone,
    anchor_id text references anchor,
    flagged_at timestamptz not null,
    cleared_at timestamptz,
    event_id uuid,
    unique (rule, subject, since)
);
create index consistency_flag_open on consistency_flag (id) where cleared_at is null;
comment on column consistency_flag.event_id is 'none for an anchor on which nothing hangs: an event is a commitment''s';

create table consistency_run (
    one boolean primary key default true check (one),
    day date not null default '-infinity'
);
insert into consistency_run default values;
comment on table consistency_run is 'the last day that was looked at, by business time; its lock lets one in at a time';
"""


def upgrade() -> None:
    run_sql(ANCHORS)


def downgrade() -> None:
    # History stays as it was written: the older checks hold for what is added from then on.
    run_sql(
        """
        drop table consistency_run, consistency_flag, statement_copy;
        alter table milestone
            drop column "offset", drop column local_time, drop column review_months, drop column wording_language;
        alter table milestone_schedule
            drop constraint milestone_schedule_change_check,
            add constraint milestone_schedule_change_check
                check (change in ('first', 'moved', 'more-precise')) not valid;
        alter table anchor_news
            drop column local_time,
            drop constraint anchor_news_change_check,
            add constraint anchor_news_change_check
                check (change in ('first', 'moved', 'more-precise', 'unchanged')) not valid;
        alter table anchor drop column successor_id, drop column outcome, drop column local_time;
        """
    )
