"""A status update speaks for one party: there is no word on a commitment as a whole any more."""

from services.plumbing.migrations import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("alter table commitment_state drop column whole")


def downgrade() -> None:
    run_sql(
        """
        alter table commitment_state add column whole jsonb;
        comment on column commitment_state.whole is '{status, seq}: the newest word on the commitment as a whole';
        """
    )
