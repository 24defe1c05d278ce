"""The portal: the pages for people, and the live feed. It owns no data; it asks the other services and reads topics."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "app":
        from services.plumbing.process import faststream_app
        from services.portal.wiring import build

        return faststream_app(build())
    raise AttributeError(name)
