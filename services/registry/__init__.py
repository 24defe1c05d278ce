"""The register of record: statements, commitments, milestones, anchors and status history."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Built when `faststream run services.registry:app` asks for it, not by importing the package.
    if name == "app":
        from services.plumbing.process import faststream_app
        from services.registry.wiring import build

        return faststream_app(build())
    raise AttributeError(name)
