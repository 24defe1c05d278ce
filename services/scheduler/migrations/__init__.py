"""The scheduler's schema, revision by revision."""

from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"
