"""The revisions of the schema `registry`."""

from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"
