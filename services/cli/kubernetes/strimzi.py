"""Kafka by Strimzi: the cluster, every topic of the contracts, every user of the access file.

By Strimzi's own resources (API `kafka.strimzi.io/v1`), so that its operators keep the broker as `topics apply` and
`access apply` do elsewhere. The users' passwords are made by its User Operator, each in a Secret named after the user.
"""

from itertools import groupby

from services.cli.access.document import AccessDocument
from services.cli.access.principals import AclEntry, Principal, principals, reporting
from services.cli.kubernetes.network import kafka_clients
from services.cli.kubernetes.objects import KAFKA_PORT, STRIMZI_LABEL, KubernetesObject, object_of
from services.cli.kubernetes.values import ClusterValues, KafkaValues
from services.cli.topics import WantedTopic, ministry_topics, wanted_topics

API = "kafka.strimzi.io/v1"
EXTERNAL_PORT = 9094
REPLICATION = 3


def kafka_cluster(values: ClusterValues) -> list[KubernetesObject]:
    """The brokers, each a controller too, as `deploy/embedded` runs them; nothing where the cluster is there already.

    Everybody comes in over TLS and by SCRAM-SHA-512: a ministry's clients, if the values let them, and ours.
    """
    kafka = values.kafka
    if not kafka.create:
        return []
    labels = {STRIMZI_LABEL: kafka.cluster}
    pool = {
        "replicas": kafka.brokers,
        "roles": ["controller", "broker"],
        "storage": {"type": "persistent-claim", "size": kafka.storage, "deleteClaim": False},
        "resources": _resources(kafka),
    }
    spec = {
        "kafka": {
            "listeners": _listeners(values),
            "authorization": {"type": "simple"},
            "config": _broker_config(),
        },
        "entityOperator": {"topicOperator": {}, "userOperator": {}},
    }
    return [
        object_of(API, "KafkaNodePool", "brokers", pool, labels=labels),
        object_of(API, "Kafka", kafka.cluster, spec),
    ]


def _listeners(values: ClusterValues) -> list[KubernetesObject]:
    scram = {"tls": True, "authentication": {"type": "scram-sha-512"}}
    ours = {"name": "clients", "port": KAFKA_PORT, "type": "internal", **scram}
    listeners = [ours | {"networkPolicyPeers": kafka_clients(values)}]
    if values.kafka.external != "none":
        listeners.append({"name": "external", "port": EXTERNAL_PORT, "type": values.kafka.external, **scram})
    return listeners


def _broker_config() -> dict[str, object]:
    """Of what `deploy/embedded/kafka_settings.py` says that which promises hang on; a test holds the two together."""
    return {
        "allow.everyone.if.no.acl.found": "false",
        "auto.create.topics.enable": "false",
        "default.replication.factor": REPLICATION,
        "min.insync.replicas": REPLICATION - 1,
        "offsets.topic.replication.factor": REPLICATION,
        "transaction.state.log.replication.factor": REPLICATION,
        "transaction.state.log.min.isr": REPLICATION - 1,
        "share.coordinator.state.topic.replication.factor": REPLICATION,
        "share.coordinator.state.topic.min.isr": REPLICATION - 1,
        "unclean.leader.election.enable": "false",
    }


def _resources(kafka: KafkaValues) -> KubernetesObject:
    return {"requests": {"cpu": kafka.cpu, "memory": kafka.memory}, "limits": {"memory": kafka.memory}}


def topics(document: AccessDocument, values: ClusterValues) -> list[KubernetesObject]:
    """A KafkaTopic for each topic of the contracts, and for those of the ministries that report."""
    wanted = wanted_topics(values.kafka.brokers)
    for code in reporting(document):
        wanted += ministry_topics(code, values.kafka.brokers)
    return [_topic(one, values) for one in wanted]


def _topic(topic: WantedTopic, values: ClusterValues) -> KubernetesObject:
    spec = {"partitions": topic.partitions, "replicas": REPLICATION, "config": dict(sorted(topic.config.items()))}
    return object_of(API, "KafkaTopic", topic.name, spec, labels={STRIMZI_LABEL: values.kafka.cluster})


def users(document: AccessDocument, values: ClusterValues) -> list[KubernetesObject]:
    """A KafkaUser for everybody whom the access file names, with the rules that `access apply` would make."""
    return [_user(one, values) for one in principals(document)]


def _user(principal: Principal, values: ClusterValues) -> KubernetesObject:
    def place(acl: AclEntry) -> tuple[str, str, bool, str]:
        return acl.resource, acl.name, acl.is_prefix, acl.host

    def in_order(acl: AclEntry) -> tuple[object, ...]:
        return *place(acl), acl.operation

    spec: KubernetesObject = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {
            "type": "simple",
            "acls": [
                {
                    "resource": {"type": kind, "name": name, "patternType": "prefix" if is_prefix else "literal"},
                    "operations": [acl.operation.capitalize() for acl in acls],
                    "host": host,
                }
                for (kind, name, is_prefix, host), acls in groupby(sorted(principal.acls, key=in_order), place)
            ],
        },
    }
    if principal.quota:
        spec["quotas"] = {_QUOTAS[name]: int(bound) for name, bound in sorted(principal.quota.items())}
    return object_of(API, "KafkaUser", principal.name, spec, labels={STRIMZI_LABEL: values.kafka.cluster})


_QUOTAS = {
    "producer_byte_rate": "producerByteRate",
    "consumer_byte_rate": "consumerByteRate",
    "request_percentage": "requestPercentage",
}
"""The broker's names, and Strimzi's."""
