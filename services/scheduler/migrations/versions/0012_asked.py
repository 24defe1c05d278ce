"""An event whose day has passed is asked about before anything escalates: a state of its own, and two lines of the log.

A process of the release before reads the state as `dormant`.
"""

from services.plumbing.migrations import run_sql

revision = "0012"
down_revision = "0011"

STATES = ("dormant", "climbing", "owned", "settled")
KNOWN = (
    *("overdue", "told", "skipped", "taken-over", "acknowledged", "evidence", "re-armed", "withdrawn", "settled"),
    "reopened",
)
LISTED = """
alter table escalation drop constraint escalation_state_check;
alter table escalation add constraint escalation_state_check check (state in ({states}));
alter table escalation drop constraint escalation_check;
alter table escalation add constraint escalation_check check ((since is not null) = (state in ({dated})));
alter table escalation_log drop constraint escalation_log_what_check;
alter table escalation_log add constraint escalation_log_what_check check (what in ({lines}));
"""


def _listed(states: tuple[str, ...], dated: tuple[str, ...], lines: tuple[str, ...]) -> str:
    words = {"states": states, "dated": dated, "lines": lines}
    return LISTED.format(**{name: ", ".join(f"'{word}'" for word in one) for name, one in words.items()})


def upgrade() -> None:
    run_sql(_listed((*STATES, "asked"), ("climbing", "owned", "asked"), (*KNOWN, "asked", "unanswered")))


def downgrade() -> None:
    run_sql("update escalation set state = 'dormant', since = null where state = 'asked'")
    run_sql("delete from escalation_log where what in ('asked', 'unanswered')")
    run_sql(_listed(STATES, ("climbing", "owned"), KNOWN))
