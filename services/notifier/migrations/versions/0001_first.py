"""Subscriptions, events, deliveries and their attempts."""

from services.plumbing.migrations import run_sql
from services.plumbing.outbox import OUTBOX_V1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(OUTBOX_V1)
    run_sql(
        """
create table subscription (
    id uuid primary key default uuidv7(),
    owner text not null,
    subscriber text not null,
    channel text not null check (channel in ('email', 'slack', 'teams', 'webhook')),
    address text not null,
    secret text,
    language text not null check (language in ('en', 'es', 'fr')),
    zone text not null,
    events text[] not null default '{}',
    countries text[] not null default '{}',
    themes text[] not null default '{}',
    sections text[] not null default '{}',
    commitments text[] not null default '{}',
    fingerprint bytea not null,
    state text not null default 'active' check (state in ('active', 'paused', 'ended', 'disabled')),
    reason text,
    created_at timestamptz not null,
    ended_at timestamptz
);
create unique index subscription_once on subscription (fingerprint) where state <> 'ended';
create index subscription_of_owner on subscription (owner, id);
create table event (
    id uuid primary key,
    topic text not null,
    commitment_id text not null,
    seq integer not null,
    value bytea not null,
    time timestamptz not null,
    correlation_id text,
    traceparent text,
    not_after timestamptz,
    received_at timestamptz not null,
    matched integer not null
);
create index event_of_commitment on event (commitment_id, id);
create table delivery (
    id uuid primary key default uuidv7(),
    event_id uuid not null,
    subscription_id uuid not null,
    commitment_id text not null,
    channel text not null,
    state text not null check (
        state in ('pending', 'sending', 'delivered', 'failed', 'expired', 'suppressed', 'cancelled')
    ),
    attempts integer not null default 0,
    next_at timestamptz not null,
    not_after timestamptz,
    lease uuid,
    lease_until timestamptz,
    created_at timestamptz not null,
    settled_at timestamptz,
    reason text,
    last_code integer,
    unique (event_id, subscription_id)
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
create index delivery_due on delivery (next_at, id) where state = 'pending';
create index delivery_leased on delivery (lease_until) where state = 'sending';
create index delivery_of_subscription on delivery (subscription_id, id);
create index delivery_given_up on delivery (id) where state in ('failed', 'expired', 'suppressed', 'cancelled');
create table delivery_attempt (
    delivery_id uuid not null,
    n integer not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    outcome text not null check (outcome in ('delivered', 'accepted', 'refused', 'unknown')),
    reason text,
    code integer,
    latency_ms real,
    primary key (delivery_id, n)
);
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop table delivery_attempt;
drop table delivery;
drop table event;
drop table subscription;
drop table outbox;
drop table outbox_seq;
drop table outbox_lease;
"""
    )
