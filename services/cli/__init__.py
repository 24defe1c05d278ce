"""The command line: runs, prepares, plays and checks the whole. The one place that sees all services, from outside."""

VERSION = "0.2.0"
"""As in pyproject.toml, which is not where the program runs."""
