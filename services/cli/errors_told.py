"""Errors of commands as two lines: what went wrong and how to mend it."""

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY


def as_told(error: Exception) -> EmbeddedError | None:
    """The error in two lines; None for a fault of ours, which has a traceback.

    A setting that makes no sense is asked wrongly, whichever command reads it and however deep.
    """
    from asyncpg.exceptions import ClientConfigurationError
    from pydantic import ValidationError

    from services.plumbing.settings_faults import faults_of_settings

    if isinstance(error, EmbeddedError):
        return error
    if isinstance(error, ClientConfigurationError):
        return EmbeddedError(
            f"DATABASE_URL can't be: {error}", "docs/for-operators.md lists the settings", ASKED_WRONGLY
        )
    if isinstance(error, ValidationError) and (faults := faults_of_settings(error)):
        return EmbeddedError(f"a setting can't be: {faults}", "docs/for-operators.md lists the settings", ASKED_WRONGLY)
    return None
