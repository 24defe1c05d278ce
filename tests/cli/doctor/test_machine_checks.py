"""What the doctor sees of the machine: disk, clocks, zone data, names, certificates."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.cli.doctor.kafka_checks import MUCH, lag_of
from services.cli.doctor.machine_checks import (
    NEAR_END,
    compared_clocks,
    look_at_certificate,
    look_at_clock,
    look_at_disk,
    look_at_zone_data,
    look_up,
)
from tests.embedded.test_certificates import NOW, files, issued

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(
    ("free", "total", "ok"),
    [(50e9, 100e9, True), (1e9, 100e9, False), (4e9, 100e9, False), (3e9, 20e9, True), (1.9e9, 2e9, False)],
)
def test_too_little_room_is_less_than_two_gigabytes_or_a_twentieth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: float, total: float, ok: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(int(total), int(total - free), int(free)))
    assert look_at_disk(tmp_path / "not" / "yet" / "there").ok is ok


def test_a_settable_clock_is_no_clock_for_the_real_thing() -> None:
    assert look_at_clock("/tmp/clock").ok is False
    assert look_at_clock("").ok is not False


def test_clocks_that_differ_by_more_than_two_seconds_are_wrong() -> None:
    assert compared_clocks(NOW, NOW + timedelta(seconds=1.9), "the database").ok
    for skew in (2.1, -2.1, 7200):
        assert compared_clocks(NOW, NOW + timedelta(seconds=skew), "the database").ok is False


@pytest.mark.parametrize(("release", "ok"), [("2026.2", True), ("2025.1", True), ("2024.2", False), ("local", None)])
def test_zone_data_of_the_year_before_last_is_old(release: str, ok: bool | None) -> None:
    assert look_at_zone_data(datetime(2026, 11, 29, tzinfo=UTC), release).ok is ok


async def test_each_name_that_nobody_knows_is_named() -> None:
    found = await look_up(("127.0.0.1", "no-such-host.invalid", "a..b"))
    assert [(one.ok, one.what) for one in found] == [
        (False, "no address is known for no-such-host.invalid"),
        (False, "no address is known for a..b"),
    ]
    assert [one.ok for one in await look_up(("localhost",))] == [True]


A, B = ("status-changed", 0), ("status-changed", 1)


@pytest.mark.parametrize(
    ("first", "later", "ends", "ok"),
    [
        ({}, {}, {}, None),
        ({A: 5}, {A: 5}, {A: 5}, True),
        ({A: 5}, {A: 6}, {A: 9}, True),
        ({A: 5}, {A: 5}, {A: 9}, False),
        ({A: 5, B: 1}, {A: 9, B: 1}, {A: 9, B: 2}, False),
        ({A: 5}, {A: 6}, {A: MUCH + 7}, False),
        ({}, {A: 6}, {A: 9}, True),
        ({A: 5}, {A: 5}, {}, True),
    ],
)
def test_a_group_that_is_behind_and_does_not_move_is_wrong(
    first: dict[tuple[str, int], int], later: dict[tuple[str, int], int], ends: dict[tuple[str, int], int], ok: bool
) -> None:
    assert lag_of("notifier", first, later, ends).ok is ok


@pytest.mark.parametrize(
    ("names", "days", "ok"),
    [
        (("p.example.org",), (-1, 90), True),
        (("p.example.org",), (-1, NEAR_END.days - 1), False),
        (("p.example.org",), (-9, -1), False),
        (("q.example.org",), (-1, 90), False),
    ],
)
def test_a_certificate_holds_for_its_host_and_for_a_while(
    names: tuple[str, ...], days: tuple[int, int], ok: bool, tmp_path: Path
) -> None:
    certificate, key = files(tmp_path, issued(*names, days=days))
    found = look_at_certificate(certificate, key, "p.example.org", NOW)
    assert (found.ok, bool(found.fix)) == (ok, not ok)
    assert look_at_certificate(certificate, tmp_path / "none.pem", "p.example.org", NOW).ok is False
