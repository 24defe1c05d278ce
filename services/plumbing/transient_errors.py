"""Which faults pass by themselves, and which will be there again however often one tries."""

import asyncpg

_TRANSIENT: tuple[type[BaseException], ...] = (
    ConnectionError,
    TimeoutError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke while it was being given back
    asyncpg.OperatorInterventionError,  # shutdown, crash, cannot connect now, query cancelled
    asyncpg.InsufficientResourcesError,  # disk full, too many connections, out of memory
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a fail-over under way
    asyncpg.PostgresSystemError,  # an I/O error of the server
    asyncpg.InternalServerError,
    asyncpg.UndefinedTableError,  # migrations have not run yet
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidCachedStatementError,  # a migration has run meanwhile; asyncpg prepares the statement anew
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InsufficientPrivilegeError,  # `access apply` has not run yet
)


class Unavailable(Exception):
    """Something that is needed is not there now; trying again later makes sense."""


def is_transient(error: BaseException) -> bool:
    """Whether the same attempt may succeed later without anybody changing the data."""
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return False  # asyncpg.DataError of a bound value: it will never fit
    return isinstance(error, (Unavailable, *_TRANSIENT))
