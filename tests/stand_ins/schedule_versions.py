"""A registry that knows which schedules were written: in memory, and over real HTTP. Both pass one suite."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from services.plumbing.transient_errors import Unavailable


class WrittenSchedules:
    """Says what was put into `versions`; `away` lets it not answer."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.away = False
        self.asked: list[str] = []

    async def version_of(self, milestone_id: str) -> int:
        """As the registry's own client does."""
        self.asked.append(milestone_id)
        if self.away or milestone_id not in self.versions:
            raise Unavailable("no answer")
        return self.versions[milestone_id]


def served(written: WrittenSchedules) -> FastAPI:
    """The same behind the registry's own route."""
    app = FastAPI()

    @app.get("/milestones/{milestone_id}/schedule-version")
    async def version(milestone_id: str) -> Response:
        try:
            known = await written.version_of(milestone_id)
        except Unavailable:
            return JSONResponse({"title": "away"}, 503 if written.away else 404)
        return JSONResponse({"milestone_id": milestone_id, "schedule_version": known})

    return app
