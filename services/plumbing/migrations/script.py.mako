"""${message}"""

from services.plumbing.migrations import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    run_sql("""""")


def downgrade() -> None:
    run_sql("""""")
