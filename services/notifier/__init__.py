"""Subscriptions, one delivery for each event and subscription that match, and every attempt to send it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faststream import FastStream


def __getattr__(name: str) -> "FastStream":
    """`app`, for `faststream run services.notifier:app`; built when asked for, not when imported."""
    if name == "app":
        from services.notifier.wiring import build
        from services.plumbing.process import faststream_app

        return faststream_app(build())
    raise AttributeError(name)
