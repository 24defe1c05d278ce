"""The raw limit over HTTP: the same server and the same pool, one INSERT, a constant answer."""

import asyncio
import sys
from typing import Any

import uvicorn
import uvloop
from fastapi import Request

from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.app import web_app
from services.plumbing.http.connections import server_config


async def main(port: int) -> None:
    database = Database(DatabaseSettings(), "bench")
    await database.open()
    app = web_app("constant", "A constant", {}, version="1", summary="Answers the same to all.")

    @app.post("/constant", status_code=201)
    async def constant(request: Request) -> dict[str, Any]:
        body = await request.body()
        async with database.connection() as connection:
            await connection.execute("insert into constant (body) values ($1)", body)
        return {"version": 1}

    await uvicorn.Server(server_config(app, "127.0.0.1", port)).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
