"""All manifests, file by file, and what of a folder differs from them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from services.cli.access.document import AccessDocument
from services.cli.kubernetes.cloudnative_pg import database_cluster
from services.cli.kubernetes.network import ingress, network_policies
from services.cli.kubernetes.objects import PART_LABEL, PART_OF, SERVING, KubernetesObject, in_namespace
from services.cli.kubernetes.scaling import scaling
from services.cli.kubernetes.strimzi import kafka_cluster, topics, users
from services.cli.kubernetes.values import ClusterValues
from services.cli.kubernetes.workloads import migration_job, service_objects

HEAD = "# Written by `pledgewire kubernetes write` from the contracts, the access file and the values: change those.\n"


def manifests(document: AccessDocument, values: ClusterValues) -> dict[str, list[KubernetesObject]]:
    """The objects of each file, in the order in which `kubectl apply` takes the files: by their names."""
    files = {
        "10-kafka.yaml": kafka_cluster(values),
        "20-topics.yaml": topics(document, values),
        "30-users.yaml": users(document, values),
        "40-database.yaml": database_cluster(values),
        "50-network.yaml": [*network_policies(values), ingress(values)],
        "60-migration.yaml": [migration_job(values)],
        **{f"70-{name}.yaml": service_objects(name, values) for name in SERVING},
        "80-scaling.yaml": scaling(values),
    }
    found = {file: [in_namespace(one, values.namespace) for one in objects] for file, objects in files.items()}
    return {"00-namespace.yaml": [_namespace(values)], **found}


def _namespace(values: ClusterValues) -> KubernetesObject:
    labels = {
        PART_LABEL: PART_OF,
        # The operators' pods pass the first, ours the second, too.
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": values.namespace, "labels": labels}}


def rendered(document: AccessDocument, values: ClusterValues) -> dict[str, str]:
    """The text of each file; one without an object is not there."""
    return {name: _yaml(objects) for name, objects in manifests(document, values).items() if objects}


def _yaml(objects: list[KubernetesObject]) -> str:
    return HEAD + "---\n".join(
        yaml.dump(one, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True) for one in objects
    )


class _Plain(yaml.SafeDumper):
    """Without aliases: a list that stands twice is written twice, or a reader has to look for it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def differing(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """The names of the files that `write_into` would write or remove."""
    return sorted({*_written(folder, texts), *(path.name for path in _left(folder, texts))})


def write_into(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write what differs, and remove what we wrote once and no longer do; the names of those files."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = differing(folder, texts)
    for name in _written(folder, texts):
        (folder / name).write_text(texts[name], encoding="utf-8")
    for path in list(_left(folder, texts)):
        path.unlink()
    return changed


def _written(folder: Path, texts: Mapping[str, str]) -> list[str]:
    return [name for name, text in texts.items() if _text(folder / name) != text]


def _left(folder: Path, texts: Mapping[str, str]) -> Iterator[Path]:
    for path in folder.glob("*.yaml"):
        if path.name not in texts and (_text(path) or "").startswith(HEAD):
            yield path


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
