"""A pace that is found by trying, real time beside business time, and an index of what is due at a pace."""

from services.plumbing.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table destination_pace
    add column patience integer not null default 400,
    add column really_free_at timestamptz not null default now();
alter table destination_pace alter column really_free_at drop default;
create index delivery_paced_due on delivery (next_at, position) where state = 'pending' and not behind and paced;
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop index delivery_paced_due;
alter table destination_pace drop column really_free_at, drop column patience;
"""
    )
