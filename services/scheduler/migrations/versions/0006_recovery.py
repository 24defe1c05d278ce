"""How far the database and the topics agree, and what was taken over after an old backup."""

from services.plumbing.migrations import run_sql
from services.plumbing.recovery.tables import RECOVERY_V1, RECOVERY_V1_DOWN

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql(RECOVERY_V1)


def downgrade() -> None:
    run_sql(RECOVERY_V1_DOWN)
