"""Why reports were refused, for those who sent them and ask."""

from services.plumbing.migrations import run_sql

revision = "0009"
down_revision = "0008"

REFUSED = """
create table refused_report (
    sender text not null,
    report_id uuid not null,
    kind text not null,
    code text not null,
    message text not null,
    message_values json not null,
    pointer text not null,
    refused_at timestamptz not null,
    primary key (sender, report_id)
);
comment on table refused_report is 'until the report comes again and is recorded; no state of the register';
comment on column refused_report.message is 'the sentence in the language of the code, with its placeholders';
"""


def upgrade() -> None:
    run_sql(REFUSED)


def downgrade() -> None:
    run_sql("drop table refused_report;")
