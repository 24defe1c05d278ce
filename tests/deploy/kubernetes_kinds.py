"""The manifests that tests look at, and their judges: Kubernetes' own schemas, and ours for the operators' kinds."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from services.cli.access.document import READABLE, SHIPPED, Entry, MinistryEntry, access_from
from services.cli.access.editing import with_entry
from services.cli.kubernetes import values as values_module
from services.cli.kubernetes.manifests import manifests
from services.cli.kubernetes.values import ClusterValues, read_values
from services.cli.yaml_files import document_from

KUBERNETES = "1.32"
"""The oldest release that we promise to run on: the pause before SIGTERM is not in those before 1.30."""
OPERATOR_KINDS = Path(__file__).parent / "operator_kinds"


VALUES = read_values()
DOCUMENT = access_from(
    with_entry(
        with_entry(SHIPPED.read_text("utf-8"), "ministries", "mx-sre", MinistryEntry(read=READABLE, report=True)),
        "operators",
        "auditor",
        Entry(),
    ),
    "here",
)
"""With a ministry and an operator: the shipped file has none yet."""
OBJECTS = [one for objects in manifests(DOCUMENT, VALUES).values() for one in objects]

WAYS: dict[str, Callable[[dict[str, Any]], object]] = {
    "everything there already": lambda v: (v["kafka"].update(create=False), v["database"].update(create=False)),
    "open to ministries": lambda v: v["kafka"].update(external="loadbalancer"),
    "mail and chat inside": lambda v: (
        v["mail"].update(has_login=False, tls="none", port=25),
        v["services"]["notifier"].update(allow_networks=["10.1.0.0/16", "fd00:1::/64"]),
    ),
    "large": lambda v: (v["services"]["notifier"].update(replicas=4, most_replicas=40), v["kafka"].update(brokers=9)),
}
"""Other values, by what they are for."""


def named(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


def pod_template(name: str) -> dict[str, Any]:
    """The pods of a service, or of the migration."""
    workload = named("Deployment").get(name) or next(iter(named("Job").values()))
    template: dict[str, Any] = workload["spec"]["template"]
    return template


def container(name: str) -> dict[str, Any]:
    """The one container of such a pod."""
    (found,) = pod_template(name)["spec"]["containers"]
    return dict(found)


def objects_of(values: ClusterValues) -> list[dict[str, Any]]:
    """All objects that other values give."""
    return [one for objects in manifests(DOCUMENT, values).values() for one in objects]


def changed(change: Callable[[dict[str, Any]], object]) -> ClusterValues:
    """The shipped values with a change; raises `YamlFileError`."""
    content = yaml.safe_load(values_module.SHIPPED.read_text(encoding="utf-8"))
    change(content)
    return document_from(json.dumps(content), "here", ClusterValues)


def identity(one: dict[str, Any]) -> str:
    """An object's kind and name."""
    return f"{one['kind']} {one['metadata']['name']}"


def judge(one: dict[str, Any]) -> None:
    """Raise a ValidationError (jsonschema's or kubernetes-validate's) for what the API server would refuse."""
    _judge(json.dumps(one))


@cache  # each time it reads more than a megabyte of schemas, and most objects are the same whatever the values
def _judge(text: str) -> None:
    one = json.loads(text)
    file = OPERATOR_KINDS / f"{one['kind']}.yaml"
    if file.exists():
        jsonschema.Draft202012Validator(_schema(file)).validate(one)
    else:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


@cache
def _schema(file: Path) -> dict[str, Any]:
    """Of an object of the kind that a file describes: its API version, its spec, and what its metadata must have."""
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    metadata = {"type": "object", "required": [], **said.get("metadata", {})}
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": said["apiVersion"]},
            "kind": {"const": file.stem},
            "metadata": {**metadata, "required": sorted({"name", "namespace", *metadata["required"]})},
            "spec": said["spec"],
        },
    }
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema
