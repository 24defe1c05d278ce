"""An escalation that somebody is on is taken over by name, and its log says so."""

from services.plumbing.migrations import run_sql

revision = "0011"
down_revision = "0010"

KNOWN = (*("overdue", "told", "skipped", "acknowledged", "evidence", "re-armed", "withdrawn", "settled", "reopened"),)
LISTED = """
alter table escalation_log drop constraint escalation_log_what_check;
alter table escalation_log add constraint escalation_log_what_check check (what in ({}));
"""


def upgrade() -> None:
    run_sql(LISTED.format(", ".join(f"'{what}'" for what in (*KNOWN, "taken-over"))))


def downgrade() -> None:
    run_sql("delete from escalation_log where what = 'taken-over'")
    run_sql(LISTED.format(", ".join(f"'{what}'" for what in KNOWN)))
