"""What a revision's SQL takes for itself is read from its text, but for comments and literals."""

import pytest

from services.plumbing.migrations.touched import EXCLUSIVE, WRITING, touched
from services.plumbing.short_locks import LONGEST_WAIT, taking


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("alter table delivery add column more text", {"delivery": EXCLUSIVE}),
        ("alter table if exists only delivery drop column more", {"delivery": EXCLUSIVE}),
        ("create index on delivery (id)", {"delivery": WRITING}),
        ("create unique index if not exists one on only delivery (id)", {"delivery": WRITING}),
        ("create table more (id uuid references delivery)", {"delivery": WRITING}),
        ("update delivery d set position = 1", {"delivery": WRITING}),
        ("UPDATE delivery\nSET position = 1", {"delivery": WRITING}),
        ("delete from delivery", {"delivery": WRITING}),
        ("drop table delivery, event", {"delivery": EXCLUSIVE, "event": EXCLUSIVE}),
        ("create trigger t before update or delete on delivery for each row", {"delivery": EXCLUSIVE}),
        ("drop trigger t on delivery", {"delivery": EXCLUSIVE}),
        ("create index on delivery (id); alter table delivery add x int", {"delivery": EXCLUSIVE}),
        ("alter table delivery add x int; create index on delivery (id)", {"delivery": EXCLUSIVE}),
        ("comment on table delivery is 'alter table event, drop table silence'", {}),
        ("-- alter table event\nselect 1", {}),
        ("update public.delivery set position = 1", {}),
        ("create table more (id int)", {}),
    ],
)
def test_tables_and_their_modes(sql: str, tables: dict[str, str]) -> None:
    assert dict(touched(sql).tables) == tables


def test_dropped_indexes_are_named() -> None:
    assert touched('drop index if exists a; drop index "b", c').indexes == {"a", "b", "c"}


def test_all_locks_together_are_waited_for_less_than_a_second() -> None:
    """
    PostgreSQL looks for deadlocks after a second: by then nobody waits for us, and we wait for nobody.
    """
    for count in range(1, 60):
        first, *_ = taking({f"t{n}": EXCLUSIVE for n in range(count)})
        assert int(first.split("'")[1].removesuffix("ms")) * count <= LONGEST_WAIT


def test_locks_are_taken_in_another_order_each_time() -> None:
    """
    Else who always holds the one while wanting the other would keep us out for ever.
    """
    orders = {tuple(taking({"b": EXCLUSIVE, "a": WRITING})[1:3]) for _ in range(100)}

    first, second = "lock table b in access exclusive mode", "lock table a in share row exclusive mode"
    assert orders == {(first, second), (second, first)}
