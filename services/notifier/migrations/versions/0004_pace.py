"""Pace: how fast each destination may be sent to, and how often a delivery was told to wait."""

from services.plumbing.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
create table destination_pace (
    destination bytea primary key,
    fastest double precision not null,
    seconds double precision not null,
    good double precision not null,
    taken integer not null default 0,
    strikes integer not null default 0,
    deferrals integer not null default 0,
    round bigint not null default 0,
    free_at timestamptz not null
);
alter table delivery
    add column paced boolean not null default false,
    add column deferrals integer not null default 0,
    add column deferred_since timestamptz;
drop index delivery_due;
create index delivery_due on delivery (next_at, position) where state = 'pending' and not behind and not paced;
create index delivery_paced on delivery (destination, (deferred_since is null), next_at, position)
    where state = 'pending' and not behind and paced;
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop index delivery_paced;
drop index delivery_due;
create index delivery_due on delivery (next_at, position) where state = 'pending' and not behind;
alter table delivery drop column deferred_since, drop column deferrals, drop column paced;
drop table destination_pace;
"""
    )
