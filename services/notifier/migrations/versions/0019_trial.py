"""The trial: while one is on, only the addresses of its list get anything, and the rest is held."""

from services.plumbing.migrations import run_sql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
create table trial (
    id bigint generated always as identity primary key,
    began_at timestamptz not null default clock_timestamp(),
    began_by text not null,
    allowed text[] not null default '{}',
    ended_at timestamptz,
    ended_by text,
    held bigint
);
create unique index trial_open on trial ((ended_at is null)) where ended_at is null;
comment on table trial is 'while one of these has not ended, only who is allowed gets anything';
comment on column trial.allowed is 'mail addresses, @domains, hosts and ids of subscriptions, the operator''s own';
comment on column trial.held is 'how many deliveries were held when it ended';
"""
    )


def downgrade() -> None:
    run_sql("drop table trial")
