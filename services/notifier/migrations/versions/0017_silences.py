"""What operators and ministries put off for a while, and the switch that stops all sending."""

from services.plumbing.migrations import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
create table silence (
    id uuid primary key default uuidv7(),
    author text not null,
    owner text,
    subscription_id uuid,
    reason text not null,
    events text[] not null default '{}',
    parties text[] not null default '{}',
    themes text[] not null default '{}',
    sections text[] not null default '{}',
    commitments text[] not null default '{}',
    begins timestamptz not null,
    ends timestamptz not null check (begins < ends),
    created_at timestamptz not null,
    noticed_at timestamptz,
    ended_at timestamptz,
    ended_by text
);
comment on column silence.owner is 'whose subscriptions it holds for; null for everybody''s';
comment on column silence.noticed_at is 'when it was said that it ends soon';
create index silence_open on silence (ends) where ended_at is null;
create table sending_stop (
    id bigint generated always as identity primary key,
    stopped_at timestamptz not null default clock_timestamp(),
    stopped_by text not null,
    reason text not null,
    started_at timestamptz,
    started_by text,
    waited bigint
);
create unique index sending_stop_open on sending_stop ((started_at is null)) where started_at is null;
comment on table sending_stop is 'while one of these has not ended, nothing is sent';
comment on column sending_stop.waited is 'how many deliveries waited when it ended';
"""
    )


def downgrade() -> None:
    run_sql("drop table sending_stop, silence")
