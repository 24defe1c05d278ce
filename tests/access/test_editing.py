"""Entries go into the file's text and out of it again, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.access.document import READABLE, SHIPPED, Entry, MinistryEntry, Quota, access_from
from services.cli.access.editing import with_entry, without_entry
from services.cli.yaml_files import YamlFileError

TEXT = SHIPPED.read_text(encoding="utf-8")
codes = st.sampled_from(["mx-sre", "ca-gac", "us-dos", "br-mre", "a1"])
quotas = st.none() | st.builds(
    Quota,
    produce_bytes_per_second=st.none() | st.integers(1024, 10**12),
    request_percent=st.none() | st.sampled_from([0.5, 25.0, 400.0]),
)
entries = st.builds(
    MinistryEntry,
    read=st.lists(st.sampled_from(READABLE), min_size=1, unique=True).map(tuple),
    report=st.booleans(),
    quota=quotas,
)


def says_nothing(quota: Quota | None) -> bool:
    return quota is None or quota == Quota()


@given(st.lists(st.tuples(codes, st.none() | entries), max_size=8))
def test_what_was_put_in_last_is_what_is_read(steps: list[tuple[str, MinistryEntry | None]]) -> None:
    """
    None takes an entry out. Of a ministry without a quota of its own nothing is written.
    """
    text, kept = TEXT, dict[str, MinistryEntry]()
    for code, entry in steps:
        text = with_entry(text, "ministries", code, entry) if entry else without_entry(text, "ministries", code)
        kept.pop(code, None)
        if entry:
            kept[code] = entry.model_copy(update={"quota": None if says_nothing(entry.quota) else entry.quota})

    assert access_from(text, "the text").ministries == kept
    assert text.startswith(TEXT.removesuffix("ministries: {}\n"))
    if not kept:
        assert text == TEXT


def test_comments_and_order_stay() -> None:
    text = (
        "ministries:\n  # the first one\n  mx-sre:\n    report: true  # since May\n\n  # the second\n  ca-gac:\n"
        "    read:\n      - status-changed\n# the end\nservices:\n  portal: {}\n"
    )
    entry = MinistryEntry(read=("status-changed",))

    added = with_entry(text, "ministries", "us-dos", entry)
    changed = with_entry(text, "ministries", "mx-sre", entry)
    taken = without_entry(text, "ministries", "mx-sre")

    block = "  us-dos:\n    read: [status-changed]\n"
    assert added == text.replace("      - status-changed\n", f"      - status-changed\n{block}")
    assert changed == text.replace("    report: true  # since May\n", "    read: [status-changed]\n")
    assert taken == text.replace("  mx-sre:\n    report: true  # since May\n", "")
    assert without_entry(added, "ministries", "us-dos") == text


def test_operators_and_a_missing_section() -> None:
    text = with_entry("services: {}\n", "operators", "auditor", Entry())

    assert text == "services: {}\noperators:\n  auditor: {}\n"
    assert without_entry(text, "operators", "auditor") == "services: {}\noperators: {}\n"
    assert without_entry("services: {}\n", "operators", "auditor") == "services: {}\n"


def test_what_stands_in_braces_is_left_to_people() -> None:
    with pytest.raises(YamlFileError, match="one below the other"):
        with_entry("ministries: {ca-gac: {report: true}}\n", "ministries", "mx-sre", MinistryEntry(report=True))
