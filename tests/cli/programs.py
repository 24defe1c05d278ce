"""Commands run as programs of their own, against an application that really listens."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

PROJECT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """The application's address, while it listens."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve([door]))
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.should_exit = True
    await serving


async def run_command(command: str, environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """The program's exit status, what it prints, and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli.main", command, *arguments),
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaints = await process.communicate()
    return process.returncode or 0, out.decode(), complaints.decode()


async def ask_command(command: str, environment: Mapping[str, str], *arguments: str) -> Any:
    """What the program prints with `--json`."""
    status, out, complaints = await run_command(command, environment, *arguments, "--json")
    assert (status, complaints) == (0, "")
    return json.loads(out)
