"""The manifests for Kubernetes, as far as they can be judged without a cluster."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from contracts.topics import BY_NAME
from deploy.embedded.kafka_settings import broker_settings
from deploy.embedded.state import Credentials
from services.cli.access.document import read_access
from services.cli.access.principals import AclEntry, principals, user
from services.cli.fleet import SERVICES
from services.cli.kubernetes.manifests import rendered
from services.cli.topics import wanted_topics
from services.cli.yaml_files import YamlFileError
from tests.deploy.kubernetes_kinds import DOCUMENT, OBJECTS, VALUES, WAYS, changed, identity, judge, named, objects_of
from tests.deploy.settings_read import PROJECT
from tests.journeys.operating import run_pledgewire

FOLDER = PROJECT / "deploy" / "kubernetes"


def test_what_lies_there_is_what_the_command_writes() -> None:
    """
    `./pledgewire kubernetes write deploy/kubernetes/manifests` writes it anew.
    """
    there = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "manifests").iterdir()}

    assert there == rendered(read_access(), VALUES)


@pytest.mark.parametrize("one", OBJECTS, ids=identity)
def test_an_object_is_valid_by_its_schema(one: dict[str, Any]) -> None:
    """
    Kubernetes' schemas, strictly, and those of the operators' kinds find no fault.
    """
    judge(one)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_other_values_give_valid_objects_too(way: str) -> None:
    """
    Whatever the values say, each object is valid, in the one namespace, and of one name.
    """
    values = changed(WAYS[way])
    objects = objects_of(values)
    for one in objects:
        judge(one)

    assert len({identity(one) for one in objects}) == len(objects)
    assert {one["metadata"].get("namespace") for one in objects if one["kind"] != "Namespace"} == {values.namespace}


@pytest.mark.parametrize(
    ("kind", "slip"),
    [
        ("Deployment", lambda o: o["spec"]["template"]["spec"]["containers"][0].update(redinessProbe={})),
        ("Deployment", lambda o: o["spec"].update(replicas="two")),
        ("NetworkPolicy", lambda o: o["spec"].update(policyType=["Egress"])),
        ("PodDisruptionBudget", lambda o: o["spec"].update(maxUnavalable=1)),
        ("KafkaTopic", lambda o: o["spec"].update(partition=6)),
        ("KafkaUser", lambda o: o["spec"]["authorization"]["acls"][0].update(operation="Read")),
        ("KafkaUser", lambda o: o.update(apiVersion="kafka.strimzi.io/v1beta2")),
        ("Kafka", lambda o: o["spec"]["kafka"]["config"].update({"listeners": "PLAIN://:9092"})),
        ("Cluster", lambda o: o["spec"]["postgresql"]["parameters"].update(max_connections=100)),
        ("ScaledObject", lambda o: o["spec"]["triggers"][0]["metadata"].update(lagTreshold="50")),
    ],
)
def test_the_schemas_catch_a_slip(kind: str, slip: Callable[[dict[str, Any]], object]) -> None:
    """
    The checks above can fail: a typing error, a wrong type, a field of an older version.
    """
    planted = copy.deepcopy(next(one for one in OBJECTS if one["kind"] == kind))
    slip(planted)

    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        judge(planted)


def test_every_topic_of_the_contracts_is_there() -> None:
    """
    As many partitions and the same settings as `topics apply` gives a cluster of three, with three replicas.
    """
    found = named("KafkaTopic")

    for topic in wanted_topics(3):
        spec = found[topic.name]["spec"]
        assert (spec["partitions"], spec["replicas"], spec["config"]) == (topic.partitions, 3, topic.config)
    assert {"status-reported-mx-sre", "status-reported-mx-sre-dead", "status-rejected-mx-sre"} <= set(found)
    assert len(found) == 2 * len(BY_NAME) + 3


def test_every_principal_may_do_what_the_access_file_gives_it_and_no_more() -> None:
    """
    The rules of each KafkaUser, written out one by one, are those that `access apply` would make.
    """
    users = named("KafkaUser")
    wanted = {one.name: one for one in principals(DOCUMENT)}

    assert set(users) == set(wanted) == {*SERVICES, "mx-sre", "auditor"}
    for name, one in users.items():
        rules = {
            AclEntry(
                user(name),
                acl["resource"]["type"],
                acl["resource"]["name"],
                operation.lower(),
                acl["resource"]["patternType"] == "prefix",
                host=acl["host"],
            )
            for acl in one["spec"]["authorization"]["acls"]
            for operation in acl["operations"]
        }
        assert rules == wanted[name].acls
        assert list(one["spec"].get("quotas", {}).values()) == list(dict(sorted(wanted[name].quota.items())).values())


def test_the_brokers_are_set_as_the_embedded_ones_are() -> None:
    """
    What both say, they say alike, but for what Strimzi itself sets.
    """
    credentials = Credentials("pledgewire", "", "", "", "")
    embedded = broker_settings(0, [(1, 2), (3, 4), (5, 6)], credentials, "broker-0")
    written = named("Kafka")["pledgewire"]["spec"]["kafka"]["config"]

    assert {k: str(v) for k, v in written.items() if k in embedded} == {
        k: str(v) for k, v in embedded.items() if k in written
    }
    assert set(written) - set(embedded) == {"unclean.leader.election.enable"}  # each of our topics says so itself


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda v: v["services"]["notifier"].update(most_replicas=1), "services.notifier"),
        (lambda v: v.update(image="registry.example.org/pledgewire"), "image"),
        (lambda v: v["services"]["registry"].update(replicas=1), "services.registry.replicas"),
        (lambda v: v["kafka"].update(brokers=1), "kafka.brokers"),
        (lambda v: v.update(namspace="x"), "namspace"),
        (lambda v: v["public"].update(portal="https://pledgewire.example.org/"), "public.portal"),
    ],
)
def test_values_that_make_no_sense_are_told_by_their_place(slip: Callable[[dict[str, Any]], object], told: str) -> None:
    """
    One pod is no service, one broker no cluster, and what is misspelt is not passed over.
    """
    with pytest.raises(YamlFileError, match=re.escape(told)):
        changed(slip)


def test_the_command_writes_what_differs_and_says_so(tmp_path: Path) -> None:
    """
    A second run changes nothing; `--check` finds what somebody edited; a file of ours that is no more goes.
    """
    folder = tmp_path / "manifests"
    first = run_pledgewire({}, "kubernetes", "write", str(folder), "--json")
    own = folder / "90-own.yaml"
    own.write_text("kind: Own\n")
    left = folder / "99-left.yaml"
    left.write_text((folder / "00-namespace.yaml").read_text())
    (folder / "20-topics.yaml").write_text("edited")
    checked = run_pledgewire({}, "kubernetes", "write", str(folder), "--check")
    again = run_pledgewire({}, "kubernetes", "write", str(folder))
    quiet = run_pledgewire({}, "kubernetes", "write", str(folder), "--check")
    wrong = run_pledgewire({}, "kubernetes", "write", str(folder), "--values", str(own))

    assert len(json.loads(first.stdout)["items"]) == 12
    assert (checked.returncode, checked.stdout) == (1, "differs: 20-topics.yaml\ndiffers: 99-left.yaml\n")
    assert again.returncode == 0 and own.exists() and not left.exists()
    assert (quiet.returncode, quiet.stdout) == (0, "all manifests are as they should be\n")
    assert wrong.returncode == 2
    assert [line.split(":")[0] for line in wrong.stderr.splitlines()] == ["error", "help"]
