"""The register: statements, commitments, milestones, anchors, and a history of each that is only ever added to."""

from services.plumbing.http.idempotency import IDEMPOTENCY_V1
from services.plumbing.inbox import INBOX_V1
from services.plumbing.migrations import run_sql
from services.plumbing.outbox import OUTBOX_V1

revision = "0001"
down_revision = None

REGISTER = """
create table statement (
    id text primary key,
    title jsonb not null,
    made_on date not null,
    url text,
    sha256 text not null,
    countries text[] not null,
    published text not null,
    text text not null,
    paragraphs integer[] not null,
    sections jsonb not null,
    themes jsonb not null,
    imported_at timestamptz not null
);
comment on column statement.published is 'as it was published; its UTF-8 bytes have the SHA-256';
comment on column statement.text is 'whitespace-collapsed; positions count its characters';
comment on column statement.paragraphs is 'where each paragraph starts in the text';

create table anchor (
    id text primary key,
    title jsonb not null,
    zone text not null,
    edtf text,
    earliest date,
    latest date,
    precision text not null,
    source jsonb not null,
    known_on date not null
);
create table anchor_news (
    id bigint generated always as identity primary key,
    anchor_id text not null references anchor,
    edtf text,
    earliest date,
    latest date,
    precision text not null,
    change text not null check (change in ('first', 'moved', 'more-precise', 'unchanged')),
    source jsonb not null,
    known_on date not null,
    recorded_at timestamptz not null,
    recorded_by text not null
);
create index anchor_news_of on anchor_news (anchor_id, id);

create table commitment (
    id text primary key,
    statement_id text not null references statement,
    quote text not null,
    quote_start integer not null check (quote_start >= 0),
    quote_end integer not null check (quote_end > quote_start),
    verb text not null,
    title jsonb not null,
    summary jsonb not null,
    section text not null,
    countries text[] not null check (cardinality(countries) > 0),
    themes text[] not null check (cardinality(themes) > 0),
    strength text not null,
    lead_ministries text[] not null,
    status text not null,
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null
);
create index commitment_in_order on commitment (statement_id, quote_start, id);

create table commitment_country_status (
    commitment_id text not null references commitment,
    country text not null,
    status text not null,
    primary key (commitment_id, country)
);
comment on table commitment_country_status is 'a row for each bound country while they differ, none while they agree';

create table milestone (
    id text primary key,
    commitment_id text not null references commitment,
    wording text not null,
    title jsonb not null,
    reading text not null,
    countries text[] not null check (cardinality(countries) > 0),
    zone text not null,
    anchor_id text references anchor,
    schedule_version integer not null
);
create index milestone_of on milestone (commitment_id);
create index milestone_on on milestone (anchor_id) where anchor_id is not null;

create table milestone_schedule (
    milestone_id text not null references milestone,
    version integer not null check (version > 0),
    edtf text,
    earliest date,
    latest date,
    precision text not null,
    change text not null check (change in ('first', 'moved', 'more-precise')),
    source jsonb,
    known_on date,
    recorded_at timestamptz not null,
    event_id uuid not null,
    primary key (milestone_id, version)
);
create index milestone_schedule_latest on milestone_schedule (latest);
alter table milestone add constraint milestone_has_its_schedule
    foreign key (id, schedule_version) references milestone_schedule (milestone_id, version)
    deferrable initially deferred;

create table status_update (
    event_id uuid primary key,
    commitment_id text not null references commitment,
    version integer not null,
    country text,
    from_status text not null,
    to_status text not null,
    overall text not null,
    note text,
    evidence jsonb,
    client text not null,
    ministry text,
    report_id uuid,
    reported_at timestamptz not null,
    recorded_at timestamptz not null,
    unique (commitment_id, version)
);
create unique index status_update_report on status_update (ministry, report_id) where report_id is not null;

create function refuse_change() returns trigger language plpgsql as
    $$ begin raise exception '% is only ever added to', tg_table_name; end $$;
create trigger append_only before update or delete or truncate on status_update
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on milestone_schedule
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on anchor_news
    for each statement execute function refuse_change();
"""


def upgrade() -> None:
    run_sql(OUTBOX_V1)
    run_sql(INBOX_V1)
    run_sql(IDEMPOTENCY_V1)
    run_sql(REGISTER)


def downgrade() -> None:
    run_sql(
        """
        drop table api_request, status_update, commitment_country_status, anchor_news, inbox,
            outbox, outbox_seq, outbox_lease;
        alter table milestone drop constraint milestone_has_its_schedule;
        drop table milestone_schedule;
        drop table milestone, commitment, anchor, statement;
        drop function refuse_change();
        """
    )
