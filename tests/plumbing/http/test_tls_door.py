"""HTTPS beside plain HTTP: the certificate of the files, a renewed one once it is there, and never half of one."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import trustme
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from services.plumbing.http.connections import server_config
from services.plumbing.http.tls_door import TlsDoor
from services.plumbing.process import HttpSettings

HOST = "127.0.0.1"


def write(folder: Path, authority: trustme.CA) -> tuple[Path, Path]:
    """A certificate for this machine and its key, in two files."""
    made = authority.issue_cert(HOST)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    return certificate, key


@asynccontextmanager
async def listening(certificate: Path, key: Path) -> AsyncIterator[tuple[TlsDoor, str]]:
    """A small application behind the door."""
    app = FastAPI()
    app.get("/")(lambda: "hello")
    config = server_config(app, HOST, 0)
    door = TlsDoor(config, certificate, key)
    inside = socket.create_server((HOST, 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([inside]))
    yield door, f"https://{HOST}:{inside.getsockname()[1]}"
    server.should_exit = True
    await serving


async def is_trusted(url: str, authority: trustme.CA) -> bool:
    """Whether who trusts this authority is let in."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:
        async with httpx2.AsyncClient(verify=context, trust_env=False) as http:
            return (await http.get(url)).json() == "hello"
    except httpx2.ConnectError:
        return False


async def test_a_renewed_certificate_is_shown(tmp_path: Path) -> None:
    """
    Another certificate in the files is shown at the next look, and not before.
    """
    first, second = trustme.CA(), trustme.CA()
    async with listening(*write(tmp_path, first)) as (door, url):
        assert await is_trusted(url, first)
        assert not door.look()
        write(tmp_path, second)
        assert door.look()
        assert await is_trusted(url, second) and not await is_trusted(url, first)


@pytest.mark.parametrize("spoil", ["another key", "no certificate", "gone"])
async def test_what_is_no_good_is_not_shown(tmp_path: Path, spoil: str) -> None:
    """
    A certificate without its key, a file that holds none, or one that is gone leaves the one in use.
    """
    authority = trustme.CA()
    certificate, key = write(tmp_path, authority)
    async with listening(certificate, key) as (door, url):
        match spoil:
            case "another key":
                (tmp_path / "other").mkdir()
                shutil.copy(write(tmp_path / "other", authority)[0], certificate)
            case "no certificate":
                certificate.write_text("nothing")
            case _:
                certificate.unlink()
        assert not door.look()
        assert await is_trusted(url, authority)
        write(tmp_path, authority)
        assert door.look()
        assert await is_trusted(url, authority)


def test_a_port_takes_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    HTTPS without a certificate is refused at the start.
    """
    monkeypatch.setenv("HTTP_TLS_PORT", "8440")

    with pytest.raises(ValidationError, match="HTTP_TLS_CERTIFICATE"):
        HttpSettings()
