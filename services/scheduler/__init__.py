"""The one who keeps the dates: plans each milestone's reminders, and says on the day that one is due."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faststream import FastStream


def __getattr__(name: str) -> "FastStream":
    """`app`, for `faststream run services.scheduler:app`; built when asked for, not when imported."""
    if name == "app":
        from services.plumbing.process import faststream_app
        from services.scheduler.wiring import build

        return faststream_app(build())
    raise AttributeError(name)
