"""JSON logs, one line each, with an action word beside the prose and the correlation id of the work at hand."""

import logging
import sys
from typing import Any

import structlog

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("pledgewire")

_LONGEST = 2000


def _cut(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    # A caller's megabyte is no reason for ours. Of a traceback the end says what happened.
    return {
        k: v
        if not isinstance(v, str) or len(v) <= _LONGEST
        else "…" + v[-_LONGEST:]
        if k == "exception"
        else v[:_LONGEST] + "…"
        for k, v in event.items()
    }


def configure_logs(service: str, level: str = "INFO") -> None:
    """Send every log of this process to standard error as JSON; call once, at the door."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        lambda _, __, event: {"service": service, **event},
        structlog.processors.format_exc_info,
        _cut,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(),  # ASCII: no text of others ends a line or can't be encoded
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "apscheduler", "asyncio", "uvicorn", "faststream", "httpx2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
