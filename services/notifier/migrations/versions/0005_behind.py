"""An index of what waits behind something older, for the sweep that looks for what nobody promoted."""

from services.plumbing.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("create index delivery_behind on delivery (thread, position) where state = 'pending' and behind;\n")


def downgrade() -> None:
    run_sql("drop index delivery_behind;\n")
