"""The variables of each container: what a service is told, and what of it comes from which Secret."""

from collections.abc import Mapping

from services.cli.access.role_planning import MIGRATOR, SERVICE_ROLES
from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.kubernetes.cloudnative_pg import DATABASE, POOL_SIZE, host, owner_secret, role_secret
from services.cli.kubernetes.network import ASKS
from services.cli.kubernetes.objects import (
    DATABASE_PORT,
    HTTP_PORT,
    KAFKA_PORT,
    MIGRATION,
    KubernetesObject,
    secret_variable,
)
from services.cli.kubernetes.values import ClusterValues

KEYS = "pledgewire-keys"
"""The Secret with what signs and hashes, and the registry's own key at the scheduler."""
MAIL = "pledgewire-mail"
KAFKA_AUTHORITY = "/etc/pledgewire/kafka"
DATABASE_AUTHORITY = "/etc/pledgewire/database"
"""Where the certificates are laid that a container believes."""


def bootstrap_servers(values: ClusterValues) -> str:
    """Where Kafka answers."""
    return f"{values.kafka.cluster}-kafka-bootstrap:{KAFKA_PORT}"


def variables(component: str, values: ClusterValues) -> list[KubernetesObject]:
    """Those of a service, or of the migration."""
    plain: dict[str, str] = {}
    secret: list[KubernetesObject] = []
    if component != MIGRATION:
        plain |= {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers(values),
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": component,
            "KAFKA_SSL_CAFILE": f"{KAFKA_AUTHORITY}/ca.crt",
            **{f"{asked.upper()}_URL": f"http://{asked}:{HTTP_PORT}" for asked in ASKS[component]},
            "FORWARDED_ALLOW_IPS": ",".join(values.pod_networks),
            "HTTP_UNLIMITED_FROM": ",".join(values.pod_networks),
            **_of_service(component, values),
        }
        secret.append(secret_variable("KAFKA_SASL_PASSWORD", component, "password"))
    if component in SERVICES_WITH_SCHEMA or component == MIGRATION:
        owns = component == MIGRATION
        secret.append(
            secret_variable("DATABASE_PASSWORD", owner_secret(values) if owns else role_secret(component), "password")
        )
        plain["DATABASE_URL"] = _database_url(MIGRATOR if owns else SERVICE_ROLES[component], values)
        plain["DATABASE_POOL_SIZE"] = str(POOL_SIZE)
    secret += [secret_variable(name, KEYS, key) for name, key in _KEYS.get(component, {}).items()]
    if component == "notifier" and values.mail.has_login:
        secret.append(secret_variable("SMTP_USERNAME", MAIL, "username"))
        secret.append(secret_variable("SMTP_PASSWORD", MAIL, "password"))
    # Secrets first: Kubernetes fills in $(DATABASE_PASSWORD) only from variables that stand before.
    return [*secret, *({"name": name, "value": value} for name, value in plain.items())]


_KEYS: Mapping[str, Mapping[str, str]] = {
    "registry": {"SCHEDULER_KEY": "scheduler-key", "AUDIT_HASH_KEY": "audit-hash-key"},
    "scheduler": {"AUDIT_HASH_KEY": "audit-hash-key"},
    "notifier": {"NOTIFIER_LINK_KEYS": "link-keys", "AUDIT_HASH_KEY": "audit-hash-key", "SECRETS_KEY": "secrets-key"},
    MIGRATION: {"SCHEDULER_KEY": "scheduler-key", "AUDIT_HASH_KEY": "audit-hash-key"},
}
"""Which variable is which key of the Secret `pledgewire-keys`."""


def _database_url(role: str, values: ClusterValues) -> str:
    where = f"{host(values)}:{DATABASE_PORT}/{DATABASE}"
    return (
        f"postgresql://{role}:$(DATABASE_PASSWORD)@{where}?sslmode=verify-full&sslrootcert={DATABASE_AUTHORITY}/ca.crt"
    )


def _of_service(name: str, values: ClusterValues) -> dict[str, str]:
    public, mail = values.public, values.mail
    match name:
        case "scheduler":
            return {"SCHEDULER_PUBLIC_URL": public.scheduler, "SCHEDULER_PORTAL_URL": public.portal}
        case "notifier":
            allowed = values.services.notifier.allow_networks
            return {
                "NOTIFIER_PUBLIC_URL": public.notifier,
                "NOTIFIER_PORTAL_URL": public.portal,
                "NOTIFIER_ALLOW_HOSTS": ",".join(allowed),
                "SMTP_HOST": mail.host,
                "SMTP_PORT": str(mail.port),
                "SMTP_TLS": mail.tls,
                "SMTP_FROM": mail.sender,
            }
        case _:
            return {}
