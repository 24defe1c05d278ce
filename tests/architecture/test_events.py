"""An event is whole: whoever adds one and forgets a step of docs/how-to/add-an-event.md finds the step here.

The notifier's rows and names for people have tests of their own: `notifier/events/test_event_types.py` and
`i18n/test_names.py`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from contracts import events, topics
from contracts.topics import ALL, AUDIT_HEAD, FOLLOWED, INTERNAL, PUBLIC, STATES, STATUS_REPORTED, Topic
from contracts.vocabulary import Contract
from services.cli.fleet import SERVICES
from services.portal.event_lines import DESCRIPTIONS
from services.portal.live_feed import INTERNALS, TOPICS
from tests.architecture.modules import modules, tree
from tests.contracts import event_strategies

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"

ours = pytest.mark.parametrize("topic", PUBLIC + INTERNAL + FOLLOWED, ids=lambda topic: topic.name)


def test_every_topic_is_in_a_list() -> None:
    """
    A topic that stands in none of the lists would be made by nobody.
    """
    cards = {value.name for value in vars(topics).values() if isinstance(value, Topic)}

    assert cards == {topic.name for topic in ALL}


def test_every_event_has_a_topic() -> None:
    """
    A model that counts itself by `seq` is an event; one without a topic could not be published.
    """
    counted = {
        model
        for model in vars(events).values()
        if isinstance(model, type) and issubclass(model, Contract) and "seq" in model.model_fields
    }

    assert counted == {topic.event for topic in (*PUBLIC, AUDIT_HEAD, *INTERNAL, *FOLLOWED)}
    assert set(get_args(events.PublicEvent)) == {topic.event for topic in PUBLIC}


def test_every_event_can_be_made_up() -> None:
    """
    The properties of records and messages hold for each event, so each has a strategy.
    """
    assert set(event_strategies.BY_EVENT) == {topic.event for topic in ALL}


def services_that_write(topic: Topic) -> Iterator[str]:
    """The services whose code makes the topic's event, once for each place; the command line only rehearses."""
    for module, path in modules().items():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            made = node.func
            if isinstance(made, ast.Attribute) and made.attr == "model_construct":
                made = made.value
            if isinstance(made, ast.Name) and made.id == topic.event.__name__ and ".cli." not in module:
                yield module.split(".")[1]


@ours
def test_its_writer_publishes_it_and_nobody_else(topic: Topic) -> None:
    """
    Who makes the event of a topic is the writer on its card: otherwise nothing comes, or numbers come twice.
    """
    assert set(services_that_write(topic)) == set(topic.writers)


def test_whoever_writes_to_the_outbox_says_it_in_later_majors_too() -> None:
    """
    Otherwise an event would be missing on the topic of its next major version, and nothing there would tell.
    """
    written = [
        (module, node)
        for module, path in modules().items()
        if module.startswith(("services.registry", "services.scheduler", "services.notifier"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "append"
    ]

    assert len(written) > 5
    assert [module for module, node in written if ast.unparse(node.args[-1]) != "said_later"] == []


def test_every_event_that_the_portal_shows_has_a_line_of_its_own_and_internals_have_none() -> None:
    assert set(DESCRIPTIONS) == {topic.event for topic in TOPICS.values()}
    assert {*TOPICS, *INTERNALS} == {topic.name for topic in ALL if "portal" in topic.readers}
    assert len(set(DESCRIPTIONS.values())) == len(DESCRIPTIONS)


def test_the_table_of_services_agrees_with_the_topics() -> None:
    """
    Who reads and publishes what in the README is what the cards of the topics say.
    """
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|", readme, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(SERVICES)
    for name, read, published in rows:
        writes = {t.name for t in PUBLIC + STATES + INTERNAL + FOLLOWED if name in t.writers}
        reads = {t.name for t in ALL if name in t.readers}
        assert set(re.findall(r"`([^`]+)`", published)) == writes, name
        if name == "registry":
            assert reads == {STATUS_REPORTED.name}
        elif name == "portal":
            assert reads == {t.name for t in PUBLIC}
        else:
            assert set(re.findall(r"`([^`]+)`", read)) == reads, name


def test_the_picture_names_the_topics() -> None:
    """
    The picture of the way of one event shows every topic, the reports' topics as one.
    """
    picture = (DOCS / "pictures" / "way-of-one-event.svg").read_text(encoding="utf-8")
    shown = re.findall(r'<text class="topic"[^>]*>([^<]+)</text>', picture)

    assert sorted(shown) == sorted([*(topic.name for topic in PUBLIC + INTERNAL), "status-reported-&lt;ministry&gt;"])


@pytest.mark.parametrize(
    ("page", "reader"), [("for-engineers", "ministries"), ("for-ministries", "notifier")], ids=lambda value: value
)
def test_the_tables_of_events_name_the_topics(page: str, reader: str) -> None:
    """
    The engineers' table is of the topics that ministries read, and the ministries' of those that people are told of, in
    the order of their cards.
    """
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    named_there = re.findall(r"^\| `([a-z]+(?:-[a-z]+)+)` \|", text, re.MULTILINE)

    assert named_there == [topic.name for topic in PUBLIC if reader in topic.readers]
