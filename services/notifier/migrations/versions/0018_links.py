"""Who asked for their links by mail, and what was changed by the link of a channel, of which the channel is told."""

from services.plumbing.migrations import run_sql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
create table link_request (
    destination bytea primary key,
    asked_at timestamptz not null,
    state text not null default 'waiting' check (state in ('waiting', 'done')),
    attempts integer not null default 0,
    next_at timestamptz not null
);
create index link_request_due on link_request (next_at) where state = 'waiting';
comment on table link_request is 'whoever asked, known or not: it holds no address, only the keyed hash of one';
create table shared_change (
    id uuid primary key default uuidv7(),
    subscription_id uuid not null,
    before jsonb not null,
    after jsonb not null,
    at timestamptz not null,
    undone_at timestamptz,
    state text not null default 'waiting' check (state in ('waiting', 'told', 'failed')),
    attempts integer not null default 0,
    next_at timestamptz not null
);
create index shared_change_due on shared_change (next_at) where state = 'waiting';
comment on column shared_change.before is 'the columns of the subscription that differ, as they were';
"""
    )


def downgrade() -> None:
    run_sql("drop table shared_change, link_request")
