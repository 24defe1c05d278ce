"""Why a subscription's own ladder is not planned."""

from services.plumbing.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table subscription add column ladder_refused text;
comment on column subscription.ladder_refused is 'why the scheduler put the newest ladder aside; the usual one holds';
"""
    )


def downgrade() -> None:
    run_sql("alter table subscription drop column ladder_refused")
