"""Who changed what: the audit log."""

from services.plumbing.audit.tables import AUDIT_V1, AUDIT_V1_DOWN
from services.plumbing.migrations import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql(AUDIT_V1)


def downgrade() -> None:
    run_sql(AUDIT_V1_DOWN)
