"""What all objects of ours have: names, labels, and the ports by which they find each other."""

from typing import Any

from services.cli import VERSION
from services.cli.fleet import SERVICES

KubernetesObject = dict[str, Any]

SERVING = SERVICES
HTTP_PORT = 8000
ADMIN_PORT = 8010
"""As the image has them: the second is for who looks at metrics."""
KAFKA_PORT = 9093
DATABASE_PORT = 5432

PART_OF = "pledgewire"
MIGRATION = "migration"
NAME_LABEL = "app.kubernetes.io/name"
PART_LABEL = "app.kubernetes.io/part-of"
STRIMZI_LABEL = "strimzi.io/cluster"
CNPG_LABEL = "cnpg.io/cluster"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def object_of(
    api: str, kind: str, name: str, spec: KubernetesObject, *, component: str = "", labels: dict[str, str] | None = None
) -> KubernetesObject:
    """One object; its namespace is added to all of them at once (`in_namespace`).

    Only what has a component is labelled as a part of ours: Strimzi gives its pods that label of their owner, and they
    would fall under what closes our own pods.
    """
    named = labels_of(component) if component else {"app.kubernetes.io/managed-by": PART_OF}
    metadata = {"name": name, "labels": {**named, "app.kubernetes.io/version": VERSION, **(labels or {})}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def labels_of(component: str) -> dict[str, str]:
    """By which the pods of one component are chosen: these never change, since a Deployment's selector can't."""
    return {NAME_LABEL: component, PART_LABEL: PART_OF}


def in_namespace(one: KubernetesObject, namespace: str) -> KubernetesObject:
    """The object with its namespace named, so that no `kubectl apply` puts it elsewhere."""
    metadata = {"name": one["metadata"]["name"], "namespace": namespace, **one["metadata"]}
    return {**one, "metadata": metadata}


def secret_variable(name: str, secret: str, key: str, *, optional: bool = False) -> KubernetesObject:
    """A variable of a container that comes from a Secret; none stands in a manifest."""
    reference: KubernetesObject = {"name": secret, "key": key}
    if optional:
        reference["optional"] = True
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}
