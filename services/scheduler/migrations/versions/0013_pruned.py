"""What was pruned, in sums."""

from services.plumbing.migrations import run_sql
from services.plumbing.retention.tables import PRUNED_V1, PRUNED_V1_DOWN

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(PRUNED_V1)


def downgrade() -> None:
    run_sql(PRUNED_V1_DOWN)
