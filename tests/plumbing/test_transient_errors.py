"""What passes by itself is waited out; what does not ends in a dead letter or ends the process."""

import asyncpg
import pytest

from services.plumbing.transient_errors import Unavailable, is_transient


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        Unavailable(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.AdminShutdownError(),
        asyncpg.DiskFullError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.InterfaceError(""),
        asyncpg.UndefinedColumnError(),
        asyncpg.InsufficientPrivilegeError(),
        # Seen in a transaction beside a migration: the columns that a prepared `select *` gives are others now.
        asyncpg.InvalidCachedStatementError(),
        # Seen when PostgreSQL was killed while a connection went back to the pool; a registry died of it.
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_the_surroundings_passes(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [KeyError(), ValueError(), asyncpg.UniqueViolationError(), asyncpg.DataError(""), asyncpg.NotNullViolationError()],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_the_data_or_of_ours_does_not(error: Exception) -> None:
    assert not is_transient(error)
