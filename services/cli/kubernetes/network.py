"""Who may reach whom: nobody anybody, and then what each of ours needs. Also the way in from outside."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.kubernetes.objects import (
    ADMIN_PORT,
    CNPG_LABEL,
    DATABASE_PORT,
    HTTP_PORT,
    KAFKA_PORT,
    MIGRATION,
    NAME_LABEL,
    NAMESPACE_LABEL,
    PART_LABEL,
    PART_OF,
    SERVING,
    STRIMZI_LABEL,
    KubernetesObject,
    labels_of,
    object_of,
)
from services.cli.kubernetes.values import ClusterValues

ASKS: Mapping[str, tuple[str, ...]] = {
    "registry": ("scheduler",),
    "scheduler": ("registry", "notifier"),
    "notifier": (),
    "portal": ("registry", "scheduler", "notifier"),
}
"""Whom each service asks over HTTP; a test holds it against the addresses that each is given."""

NOT_PUBLIC = ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
NOT_PUBLIC_V6 = ("fc00::/7", "fe80::/10")
"""Where the notifier may not deliver unless the values say so: its own guard refuses more, and this one holds too."""


def kafka_clients(values: ClusterValues) -> list[KubernetesObject]:
    """Who may reach the listener of Kafka that is not for others outside."""
    return [{"podSelector": {"matchLabels": {PART_LABEL: PART_OF}}}, _namespace(values.keda_namespace)]


def network_policies(values: ClusterValues) -> list[KubernetesObject]:
    """One that closes everything of ours, one for each service, one for the migration, one for the database."""
    return [
        _policy("pledgewire-closed", {PART_LABEL: PART_OF}, ingress=[], egress=[_names()]),
        *(_of_service(name, values) for name in SERVING),
        _policy(f"pledgewire-{MIGRATION}", labels_of(MIGRATION), egress=[_database(values)]),
        *_of_database(values),
    ]


def _of_service(name: str, values: ClusterValues) -> KubernetesObject:
    askers = [one for one, asked in ASKS.items() if name in asked]
    http = [_namespace(values.ingress.namespace)]
    if askers:
        http.append(_pods(askers))
    egress = [_kafka(values)]
    if name in SERVICES_WITH_SCHEMA:
        egress.append(_database(values))
    if ASKS[name]:
        egress.append({"to": [_pods(ASKS[name])], "ports": _ports(HTTP_PORT)})
    if name == "notifier":
        egress.append({"to": _outside(values.services.notifier.allow_networks)})
    ingress = [
        {"from": http, "ports": _ports(HTTP_PORT)},
        {"from": [_namespace(values.monitoring_namespace)], "ports": _ports(ADMIN_PORT)},
    ]
    return _policy(f"pledgewire-{name}", labels_of(name), ingress, egress)


def _of_database(values: ClusterValues) -> list[KubernetesObject]:
    """Its instances reach each other, its operator reaches them (5432 and 8000), and who has a schema, the leader."""
    if not values.database.create:
        return []
    own = {CNPG_LABEL: values.database.cluster}
    clients = [_pods((*SERVICES_WITH_SCHEMA, MIGRATION)), _namespace(values.keda_namespace)]
    ingress = [
        {"from": clients, "ports": _ports(DATABASE_PORT)},
        {
            "from": [{"podSelector": {"matchLabels": own}}, _namespace(values.database.operator_namespace)],
            "ports": _ports(DATABASE_PORT, 8000),
        },
        {"from": [_namespace(values.monitoring_namespace)], "ports": _ports(9187)},
    ]
    return [_policy("pledgewire-database", own, ingress=ingress)]


def _policy(
    name: str,
    labels: Mapping[str, str],
    ingress: list[KubernetesObject] | None = None,
    egress: list[KubernetesObject] | None = None,
) -> KubernetesObject:
    """A policy of the directions that are named: where one is None, others say what holds."""
    spec: KubernetesObject = {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(direction)
            spec[direction.lower()] = rules
    return object_of("networking.k8s.io/v1", "NetworkPolicy", name, spec)


def _names() -> KubernetesObject:
    """Names are looked up by everybody, in the cluster's own service."""
    dns = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "kube-system"}}}
    return {"to": [dns], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def _kafka(values: ClusterValues) -> KubernetesObject:
    pods = {"podSelector": {"matchLabels": {STRIMZI_LABEL: values.kafka.cluster, "strimzi.io/kind": "Kafka"}}}
    return {"to": [pods], "ports": _ports(KAFKA_PORT)}


def _database(values: ClusterValues) -> KubernetesObject:
    pods = {"podSelector": {"matchLabels": {CNPG_LABEL: values.database.cluster}}}
    return {"to": [pods], "ports": _ports(DATABASE_PORT)}


def _outside(allowed: Iterable[str]) -> list[KubernetesObject]:
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(NOT_PUBLIC)}},
        {"ipBlock": {"cidr": "::/0", "except": list(NOT_PUBLIC_V6)}},
        *({"ipBlock": {"cidr": network}} for network in allowed),
    ]


def _pods(components: Iterable[str]) -> KubernetesObject:
    names = {"key": NAME_LABEL, "operator": "In", "values": sorted(components)}
    return {"podSelector": {"matchLabels": {PART_LABEL: PART_OF}, "matchExpressions": [names]}}


def _namespace(name: str) -> KubernetesObject:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: name}}}


def _ports(*numbers: int) -> list[KubernetesObject]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def ingress(values: ClusterValues) -> KubernetesObject:
    """The way in from outside, over TLS, by a name for each service."""
    hosts = {name: str(urlsplit(getattr(values.public, name)).hostname) for name in SERVING}
    spec = {
        "ingressClassName": values.ingress.class_name,
        "tls": [{"hosts": sorted(set(hosts.values())), "secretName": values.ingress.tls_secret}],
        "rules": [
            {
                "host": host,
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": name, "port": {"name": "http"}}},
                        }
                    ]
                },
            }
            for name, host in hosts.items()
        ],
    }
    return object_of("networking.k8s.io/v1", "Ingress", "pledgewire", spec)
