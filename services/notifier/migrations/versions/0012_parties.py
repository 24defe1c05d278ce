"""Who is bound are parties: what was called a country is called a party; and languages are no closed list."""

from services.plumbing.migrations import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table subscription rename column countries to parties;
alter table subscription drop constraint subscription_language_check;
"""
    )


def downgrade() -> None:
    run_sql(
        """
update subscription set language = 'en' where language not in ('en', 'es', 'fr');
alter table subscription add constraint subscription_language_check check (language in ('en', 'es', 'fr'));
alter table subscription rename column parties to countries;
"""
    )
