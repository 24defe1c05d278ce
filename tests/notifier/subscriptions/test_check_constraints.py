"""The table of subscriptions takes the values that the contracts have, and no others."""

import re
from typing import get_args

import pytest

from contracts.vocabulary import Channel, LanguageTag
from services.i18n.languages import LANGUAGES
from services.notifier.migrations import VERSIONS
from services.notifier.subscriptions.answers import SubscriptionState
from services.plumbing.database import Database
from services.plumbing.migrations import sql_between
from tests.notifier.scenes import subscribe

CHECKED = {"channel": set(get_args(Channel)), "state": set(get_args(SubscriptionState))}
"""Columns of `subscription`, and what the contracts let stand in them."""

NAMED = re.compile(
    r"alter table subscription\b[^;]*?\badd constraint subscription_(\w+)_check check \((.*?)\)[,;]", re.S
)
FIRST = re.compile(r"create table subscription \((.*?)\n\);", re.S)


def taken(sql: str) -> dict[str, set[str]]:
    """By column, the values that its newest check lists; one that a revision adds is `subscription_<column>_check`."""
    first = FIRST.search(sql)
    assert first
    checks = re.findall(r"^ +(\w+) [^\n]*check \((\w+ in \([^)]*\))\)", first[1], re.M) + NAMED.findall(sql)
    found = {column: set(re.findall(r"'([^']*)'", check)) for column, check in checks}
    dropped = re.findall(r"alter table subscription drop constraint subscription_(\w+)_check;", sql)
    return {column: values for column, values in found.items() if column not in dropped}


def test_the_newest_revision_takes_what_the_contracts_have() -> None:
    """
    A channel that no migration lets in is noticed without a database; a language needs no migration.
    """
    assert taken(sql_between("notifier", VERSIONS, "base", "head")) == CHECKED


def test_the_newest_check_of_a_column_counts() -> None:
    first = "create table subscription (\n    channel text not null check (channel in ('email', 'slack'))\n);\n"
    wider = """
alter table subscription drop constraint subscription_channel_check,
    add constraint subscription_channel_check check (channel in ('email', 'slack', 'pigeon'));
"""
    assert taken(first) == {"channel": {"email", "slack"}}
    assert taken(first + wider) == {"channel": {"email", "slack", "pigeon"}}


@pytest.mark.parametrize("language", [*LANGUAGES, "pt-BR", "zh-Hant"])
async def test_the_table_takes_a_subscription_in_every_language(database: Database, language: LanguageTag) -> None:
    assert await subscribe(database, f"{language}@example.org", language=language)
