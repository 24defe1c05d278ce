"""How far the database and the topics agree, and what was taken over after an old backup."""

from services.plumbing.migrations import run_sql
from services.plumbing.recovery.tables import RECOVERY_V1, RECOVERY_V1_DOWN

revision = "0004"
down_revision = "0003"

# On one line: the revision is cut into statements at the ends of lines.
REFUSE = (
    "create or replace function refuse_change() returns trigger language plpgsql as $$ begin"
    " {exception} raise exception '% is only ever added to', tg_table_name; end $$;\n"
)
WHILE_TAKING_OVER = (
    "if tg_op = 'UPDATE' and current_setting('pledgewire.taking_over', true) = 'on' then return null; end if;"
)


def upgrade() -> None:
    run_sql(RECOVERY_V1)
    run_sql(REFUSE.format(exception=WHILE_TAKING_OVER))


def downgrade() -> None:
    run_sql(REFUSE.format(exception=""))
    run_sql(RECOVERY_V1_DOWN)
