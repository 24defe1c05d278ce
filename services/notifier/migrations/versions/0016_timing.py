"""When a subscription wants to be told, and the runs of its digests."""

from services.plumbing.migrations import run_sql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table subscription add column timing jsonb;
comment on column subscription.timing is 'rhythm, quiet hours, days off and mutes; null for at once, at any time';
create table digest_run (
    subscription_id uuid not null,
    run_at timestamptz not null,
    opened_at timestamptz not null,
    primary key (subscription_id, run_at)
);
comment on table digest_run is 'written with the first delivery that waits for it, so that none is ever empty';
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop table digest_run;
alter table subscription drop column timing;
"""
    )
