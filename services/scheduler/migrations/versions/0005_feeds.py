"""Private addresses of calendars and feeds, and what the feeds tell."""

from services.plumbing.migrations import run_sql

revision = "0005"
down_revision = "0004"

FEEDS = """
create table feed (
    id uuid primary key,
    token_sha256 bytea not null unique check (length(token_sha256) = 32),
    owner text not null,
    name text not null,
    language text not null,
    zone text not null,
    alarms integer[] not null,
    countries text[] not null,
    themes text[] not null,
    sections text[] not null,
    commitments text[] not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    last_read_on date
);
create index feed_owner on feed (owner, created_at) where revoked_at is null;
comment on column feed.alarms is 'days before a day on which its calendar reminds';
comment on column feed.countries is 'what it holds; an empty list is everything, and all lists have to agree';
comment on column feed.last_read_on is 'business day, in UTC, of the last reading';

create sequence calendar_mark;
create table calendar_entry (
    milestone_id text primary key,
    commitment_id text not null,
    countries text[] not null,
    themes text[] not null,
    section text not null,
    version integer not null,
    turns integer not null,
    state text not null check (state in ('open', 'met', 'withdrawn', 'dateless')),
    commitment jsonb not null,
    milestone jsonb not null,
    source jsonb,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    mark bigint not null
);
create index calendar_entry_commitment on calendar_entry (commitment_id);
comment on column calendar_entry.version is 'of the newest schedule, dated or not';
comment on column calendar_entry.turns is 'how often a status has taken it out of calendars or put it back';
comment on column calendar_entry.milestone is 'as last scheduled with a last day';
comment on column calendar_entry.mark is 'of its last change: no two changes of any entries have the same';

create table feed_event (
    event_id uuid primary key,
    topic text not null,
    at timestamptz not null,
    commitment_id text not null,
    countries text[] not null,
    themes text[] not null,
    section text not null,
    everybodys boolean not null,
    body jsonb not null
);
create index feed_event_newest on feed_event (at desc, event_id desc);
comment on column feed_event.everybodys is 'false for a reminder of one subscription''s own ladder';

create table feed_place (
    one boolean primary key default true check (one),
    outbox_id bigint not null default 0
);
insert into feed_place default values;
comment on column feed_place.outbox_id is 'all reminders in the outbox up to here are in feed_event';

insert into calendar_entry (milestone_id, commitment_id, countries, themes, section, version, turns, state, commitment,
                            milestone, created_at, changed_at, mark)
select p.milestone_id, p.commitment_id,
       array(select jsonb_array_elements_text(p.milestone -> 'countries')),
       array(select jsonb_array_elements_text(p.commitment -> 'themes')),
       p.commitment ->> 'section', p.schedule_version, 0,
       case when not p.settled then 'open' when s.overall = 'withdrawn' then 'withdrawn' else 'met' end,
       p.commitment, p.milestone, p.scheduled_at, p.scheduled_at, nextval('calendar_mark')
from milestone_plan p
join commitment_state s using (commitment_id)
where p.milestone -> 'span' ->> 'latest' is not null
"""


def upgrade() -> None:
    """Make them; what is planned already stands in calendars from now on."""
    run_sql(FEEDS)


def downgrade() -> None:
    """Drop them: every address is dead."""
    run_sql(
        """
        drop table feed, calendar_entry, feed_event, feed_place;
        drop sequence calendar_mark
        """
    )
