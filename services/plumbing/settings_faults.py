"""Settings that make no sense, said for whoever set them: by the name of the variable, without its value."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import BaseSettings


def faults_of_settings(error: ValidationError) -> str | None:
    """What is wrong with which variables, in one line; None where the error is about no settings."""
    kinds = {kind.__name__: kind for kind in _below(BaseSettings)}
    if error.title not in kinds:
        return None
    prefix = kinds[error.title].model_config.get("env_prefix", "")
    return "; ".join(f"{_variable(prefix, fault['loc'])}: {fault['msg']}" for fault in error.errors())


def check_database_url(url: str) -> None:
    """Raise ValueError, without the address, for what names no PostgreSQL; whether one is there it does not ask."""
    try:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2].split(",")  # libpq takes several
    except ValueError:
        raise ValueError("the address can't be read") from None
    if parts.scheme not in ("postgresql", "postgres") or "://" not in url:
        raise ValueError("write it as postgresql://user:password@host/name")
    for host in hosts:
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not is_port(port):
            raise ValueError("a port is a number from 1 to 65535")


def is_port(text: str) -> bool:
    """Whether a text is a port that something can listen on."""
    return text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536


def _below(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _variable(prefix: str, place: tuple[int | str, ...]) -> str:
    """The variable that a fault is about, or the family of them where it is about several."""
    name = ".".join(map(str, place)).upper()
    return name if name.startswith(prefix) else f"{prefix}{name or '…'}"
