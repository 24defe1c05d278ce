"""Our pods in the manifests for Kubernetes: what they are told, whom they reach, and how they come and go."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.cli.fleet import SERVICES
from services.cli.kubernetes.cloudnative_pg import POOL_SIZE
from services.cli.kubernetes.network import ASKS
from tests.deploy.kubernetes_kinds import OBJECTS, VALUES, WAYS, changed, container, named, objects_of, pod_template
from tests.deploy.settings_read import PROJECT, variables_read


def variables(name: str) -> dict[str, str]:
    """A container's variables, those of Secrets by the name of the Secret and its key."""
    found = {}
    for one in container(name)["env"]:
        reference = one.get("valueFrom", {}).get("secretKeyRef")
        found[one["name"]] = f"{reference['name']}/{reference['key']}" if reference else one["value"]
    return found


@pytest.mark.parametrize("name", [*SERVICES, "migration"])
def test_every_setting_is_one_that_is_read(name: str) -> None:
    """
    A variable that no settings class knows would be a wish that nobody hears; one is there for another's sake, and one
    uvicorn's.
    """
    assert set(variables(name)) - variables_read() <= {"DATABASE_PASSWORD", "FORWARDED_ALLOW_IPS"}
    if "DATABASE_URL" in variables(name):
        order = [one["name"] for one in container(name)["env"]]
        assert "$(DATABASE_PASSWORD)" in variables(name)["DATABASE_URL"]
        assert order.index("DATABASE_PASSWORD") < order.index("DATABASE_URL")


def test_no_secret_stands_in_a_manifest() -> None:
    """
    What is secret is named, by its Secret and its key; there is no object of the kind Secret.
    """
    assert "Secret" not in {one["kind"] for one in OBJECTS}
    for name in (*SERVICES, "migration"):
        for one in container(name)["env"]:
            if re.search(r"PASSWORD|KEYS?$|TOKEN|SECRET", one["name"]):
                assert set(one) == {"name", "valueFrom"}, one["name"]


def test_services_ask_whom_they_may_reach() -> None:
    """
    The addresses that a service is given, and the policies of both ends, are of the same services.
    """
    policies = named("NetworkPolicy")
    for name in SERVICES:
        asked = {v.split("//")[1].split(":")[0] for k, v in variables(name).items() if v.startswith("http://")}
        assert asked == set(ASKS[name])
        lets_in = _components(policies[f"pledgewire-{name}"]["spec"]["ingress"], "from")
        goes_to = _components(policies[f"pledgewire-{name}"]["spec"]["egress"], "to")
        assert goes_to == set(ASKS[name])
        assert lets_in == {one for one, others in ASKS.items() if name in others}


def _components(rules: list[dict[str, Any]], direction: str) -> set[str]:
    def found() -> Iterator[str]:
        for rule in rules:
            for peer in rule[direction]:
                for one in peer.get("podSelector", {}).get("matchExpressions", []):
                    yield from one["values"]

    return set(found())


def test_only_the_notifier_reaches_the_world_and_nobody_an_inside_network() -> None:
    """
    Of all policies one has a way out by address, and it spares the networks that are not public.
    """
    out = {
        name: peer["ipBlock"]
        for name, one in named("NetworkPolicy").items()
        for rule in one["spec"].get("egress", [])
        for peer in rule["to"]
        if "ipBlock" in peer and ":" not in peer["ipBlock"]["cidr"]
    }

    assert set(out) == {"pledgewire-notifier"}
    assert {"10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8"} <= set(out["pledgewire-notifier"]["except"])
    closed = named("NetworkPolicy")["pledgewire-closed"]["spec"]
    assert closed["ingress"] == [] and set(closed["policyTypes"]) == {"Ingress", "Egress"}


@pytest.mark.parametrize("name", [*SERVICES, "migration"])
def test_every_pod_falls_under_the_policies(name: str) -> None:
    """
    The labels of a pod are those that the closing policy and its own choose; the operators' pods have none of them.
    """
    labels = pod_template(name)["metadata"]["labels"]
    policies = named("NetworkPolicy")

    for policy in ("pledgewire-closed", f"pledgewire-{name}"):
        assert policies[policy]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    for kind in ("Kafka", "KafkaNodePool", "Cluster"):
        for one in named(kind).values():
            assert "app.kubernetes.io/part-of" not in one["metadata"]["labels"]


@pytest.mark.parametrize("name", [*SERVICES, "migration"])
def test_a_pod_may_do_little(name: str) -> None:
    """
    Nobody special, nothing written, no way up, no token of the cluster: the profile `restricted` takes it.
    """
    pod, one = pod_template(name)["spec"], container(name)

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["resources"]["limits"]["memory"] and one["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_stays_while_pods_come_and_go(name: str) -> None:
    """
    Two at least, one down at a time, and it is asked at the port and the paths that the image serves.
    """
    sized = getattr(VALUES.services, name)
    dockerfile = (PROJECT / "deploy/images/Dockerfile").read_text()
    one = container(name)
    ports = {port["name"]: port["containerPort"] for port in one["ports"]}
    deployment = named("Deployment")[name]["spec"]

    assert sized.replicas >= 2
    assert deployment.get("replicas") == (None if name == "notifier" else sized.replicas)
    assert named("PodDisruptionBudget")[name]["spec"]["selector"] == deployment["selector"]
    assert named("Service")[name]["spec"]["selector"] == deployment["selector"]["matchLabels"]
    assert f"HTTP_PORT={ports['http']}" in dockerfile and f"ADMIN_PORT={ports['admin']}" in dockerfile
    assert one["startupProbe"]["httpGet"]["path"] == "/readyz"
    # Kafka away is no reason to take the registry away, which goes on accepting.
    assert {one[p]["httpGet"]["path"] for p in ("readinessProbe", "livenessProbe")} == {"/livez"}


@pytest.mark.parametrize("way", ["as shipped", *WAYS])
def test_the_database_has_connections_for_all_pods(way: str) -> None:
    """
    While every Deployment is rolled and the notifier is scaled to its most, nobody is turned away.
    """
    values = changed(WAYS.get(way, lambda content: None))
    for one in objects_of(values):
        if one["kind"] == "Cluster":
            most = int(one["spec"]["postgresql"]["parameters"]["max_connections"])
            pods = [values.services.registry.replicas, values.services.scheduler.replicas]
            assert most > POOL_SIZE * (sum(pods) + values.services.notifier.most_replicas + 3)
