"""As many notifiers as there is work, by KEDA (API `keda.sh/v1alpha1`): by lag, and by deliveries that are due.

Only the notifier: the scheduler's work is one tick, the registry's and the portal's are short requests.
"""

from contracts.topics import FOLLOWED, OWN
from services.cli.access.principals import GROUPS
from services.cli.access.role_planning import SERVICE_ROLES
from services.cli.kubernetes.cloudnative_pg import DATABASE, host, role_secret
from services.cli.kubernetes.environment import bootstrap_servers
from services.cli.kubernetes.objects import DATABASE_PORT, KubernetesObject, object_of
from services.cli.kubernetes.values import ClusterValues

API = "keda.sh/v1alpha1"
SCALED = "notifier"

DUE = (
    "select count(*) from (select from notifier.delivery where state = 'pending' and not behind and not paced"
    " and leads and next_at <= now() limit {most}) due"
)
"""What a claim would find. What a receiver is to be spared (`paced`) is left out, since more notifiers don't hasten it;
a backlog is counted as far as it changes anything."""


def scaling(values: ClusterValues) -> list[KubernetesObject]:
    """The scaled object, and how KEDA logs in: as the notifier, which may look at all of it."""
    notifier = values.services.notifier
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": SCALED},
        "minReplicaCount": notifier.replicas,
        "maxReplicaCount": notifier.most_replicas,
        "pollingInterval": 15,
        "cooldownPeriod": 300,
        # Pods that go take their partitions through a rebalance: one at a time, and not at the first quiet minute.
        "advanced": {
            "horizontalPodAutoscalerConfig": {
                "behavior": {
                    "scaleDown": {
                        "stabilizationWindowSeconds": 600,
                        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
                    }
                }
            }
        },
        "triggers": [*(_by_lag(topic, values) for topic in read_topics()), _by_due(values)],
    }
    return [
        object_of(API, "ScaledObject", SCALED, spec, component=SCALED),
        _authentication(
            "notifier-kafka",
            [("password", SCALED, "password"), ("ca", f"{values.kafka.cluster}-cluster-ca-cert", "ca.crt")],
            {"username": "KAFKA_SASL_USERNAME"},
        ),
        _authentication("notifier-database", [("password", role_secret(SCALED), "password")], {}),
    ]


def read_topics() -> list[str]:
    """The topics that the notifier's group reads."""
    return [topic.name for topic in OWN if SCALED in topic.readers and topic not in FOLLOWED]


def _by_lag(topic: str, values: ClusterValues) -> KubernetesObject:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": _reached_from_elsewhere(bootstrap_servers(values), values),
            "consumerGroup": GROUPS[SCALED][0],
            "topic": topic,
            "lagThreshold": str(values.services.notifier.lag_per_replica),
            "offsetResetPolicy": "earliest",
            # A partition that stands still is for a person, not for more notifiers.
            "excludePersistentLag": "true",
            "limitToPartitionsWithLag": "true",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": "notifier-kafka"},
    }


def _by_due(values: ClusterValues) -> KubernetesObject:
    notifier = values.services.notifier
    return {
        "type": "postgresql",
        "metadata": {
            "host": _reached_from_elsewhere(host(values), values),
            "port": str(DATABASE_PORT),
            "userName": SERVICE_ROLES[SCALED],
            "dbName": DATABASE,
            "sslmode": "require",
            "query": due_query(values),
            "targetQueryValue": str(notifier.due_per_replica),
        },
        "authenticationRef": {"name": "notifier-database"},
    }


def due_query(values: ClusterValues) -> str:
    """How many deliveries are due, up to where all notifiers that there may be are wanted."""
    notifier = values.services.notifier
    return DUE.format(most=notifier.due_per_replica * notifier.most_replicas)


def _reached_from_elsewhere(address: str, values: ClusterValues) -> str:
    """The address as it is found from KEDA's namespace."""
    name, colon, port = address.partition(":")
    return f"{name}.{values.namespace}.svc{colon}{port}"


def _authentication(name: str, secrets: list[tuple[str, str, str]], variables: dict[str, str]) -> KubernetesObject:
    spec: KubernetesObject = {
        "secretTargetRef": [{"parameter": parameter, "name": secret, "key": key} for parameter, secret, key in secrets]
    }
    if variables:
        spec["env"] = [
            {"parameter": parameter, "name": variable, "containerName": SCALED}
            for parameter, variable in variables.items()
        ]
    return object_of(API, "TriggerAuthentication", name, spec, component=SCALED)
