"""PostgreSQL by CloudNativePG (API `postgresql.cnpg.io/v1`): one leader, and followers that take over."""

from services.cli.access.role_planning import MIGRATOR, SERVICE_ROLES
from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.kubernetes.objects import KubernetesObject, object_of
from services.cli.kubernetes.values import ClusterValues

API = "postgresql.cnpg.io/v1"
DATABASE = "pledgewire"
POOL_SIZE = 8
"""Connections of a process: DATABASE_POOL_SIZE."""
SPARE = 20
"""For migrations, backups, the operator, KEDA, and a person who looks."""


def role_secret(service: str) -> str:
    """The Secret with that role's name and password (`kubernetes.io/basic-auth`)."""
    return f"pledgewire-database-{service}"


def owner_secret(values: ClusterValues) -> str:
    """The Secret that CloudNativePG makes for the owner."""
    return f"{values.database.cluster}-app"


def authority_secret(values: ClusterValues) -> str:
    """The Secret with the certificate of whoever signed the server's."""
    return f"{values.database.cluster}-ca"


def host(values: ClusterValues) -> str:
    """The name by which the leader is reached."""
    return f"{values.database.cluster}-rw"


def most_connections(values: ClusterValues) -> int:
    """As many as all pods may open, while each Deployment is rolled and so has one more, and some to spare."""
    services = values.services
    pods = services.registry.replicas + services.scheduler.replicas + services.notifier.most_replicas
    return (pods + len(SERVICES_WITH_SCHEMA)) * POOL_SIZE + SPARE


def database_cluster(values: ClusterValues) -> list[KubernetesObject]:
    """The cluster; nothing where it is there already."""
    database = values.database
    if not database.create:
        return []
    spec = {
        "instances": database.instances,
        "imageName": database.image,
        "storage": {"size": database.storage},
        "resources": {
            "requests": {"cpu": database.cpu, "memory": database.memory},
            "limits": {"memory": database.memory},
        },
        "bootstrap": {
            "initdb": {
                "database": DATABASE,
                # It owns the schemas, too; the services' own roles may read and write rows, and nothing else.
                "owner": MIGRATOR,
                "encoding": "UTF8",
                "localeProvider": "builtin",
                "builtinLocale": "C.UTF-8",
                "locale": "C.UTF-8",
            }
        },
        "postgresql": {
            # What was answered with 2xx survives the loss of the leader: one follower has it before the commit counts.
            "synchronous": {"method": "any", "number": 1},
            "parameters": {"max_connections": str(most_connections(values))},
        },
        "managed": {
            "roles": [
                {
                    "name": role,
                    "ensure": "present",
                    "login": True,
                    "passwordSecret": {"name": role_secret(service)},
                }
                for service, role in SERVICE_ROLES.items()
            ]
        },
    }
    return [object_of(API, "Cluster", database.cluster, spec)]
