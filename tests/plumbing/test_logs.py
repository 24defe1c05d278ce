"""Logs: one line each, whatever others wrote into it."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.plumbing.logs import configure_logs, log

any_text = st.text(st.characters(), max_size=80)  # halves of pairs among them


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """What the process writes to standard error, encoded as there."""
    root, before, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stderr", stream)
    structlog.reset_defaults()
    configure_logs("tests")
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=any_text, name=any_text)
@example("a\u2028b\u2029c\x85d\x1ee\r\nf", "\ud800")
def test_a_log_is_one_line_of_json_whatever_others_wrote(written: io.TextIOWrapper, text: str, name: str) -> None:
    written.buffer.seek(0)
    written.buffer.truncate()
    log.bind().info("something", action="heard", text=text, names=[name, {"name": name}])

    raw = written.buffer.getvalue()  # type: ignore[attr-defined]  # it is a BytesIO
    (line,) = raw.decode("utf-8").splitlines()
    read = json.loads(line)
    assert (read["action"], read["message"]) == ("heard", "something")
    assert read["text"] == text
    assert line.isascii()
