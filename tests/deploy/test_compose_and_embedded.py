"""The broker of docker-compose.yml and the one that tests run on: where they differ there is a reason, and no more."""

import re
from typing import Any

import yaml

from deploy.embedded.kafka_settings import broker_settings
from deploy.embedded.state import Credentials
from tests.deploy.settings_read import PROJECT

PLACES = re.compile(
    r"listeners|advertised\.listeners|controller\.quorum\.voters|log\.dirs|node\.id|listener\.security\.protocol\.map"
    r"|listener\.name\..*|inter\.broker\.listener\.name|sasl\.mechanism\.inter\.broker\.protocol|heap\.opts"
)
"""Where each listens and keeps its data, and how it knows who comes in: `test_compose.py`, `test_compose_broker.py`."""
SMALL = {
    "offsets.topic.num.partitions",
    "transaction.state.log.num.partitions",
    "share.coordinator.state.topic.num.partitions",
    "num.network.threads",
    "num.io.threads",
    "group.coordinator.threads",
    "background.threads",
    "log.cleaner.dedupe.buffer.size",
    "log.index.size.max.bytes",
    "socket.send.buffer.bytes",
    "socket.receive.buffer.bytes",
}
"""What makes the embedded broker small; the image has Kafka's defaults, for a server."""
QUICK = {"group.min.session.timeout.ms", "broker.session.timeout.ms", "broker.heartbeat.interval.ms"}
"""What lets tests see sooner that somebody is gone."""
AT_REST = {"metadata.max.idle.interval.ms"}
"""What lets a broker that is alone write nothing while nothing happens; the image may get followers."""
BY_DEFAULT = {"default.replication.factor": "1", "min.insync.replicas": "1"}
"""What one broker has anyway, and compose therefore doesn't say."""
ONLY_COMPOSE = {"unclean.leader.election.enable": "false"}
"""What each of our topics says itself, and compose says for topics of others, too."""


def composed() -> dict[str, str]:
    """The broker's settings as the image makes them of the container's variables."""
    content: Any = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    return {
        name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_"): str(value)
        for name, value in content["services"]["kafka"]["environment"].items()
    }


def embedded() -> dict[str, str]:
    known = Credentials("pledgewire", "", "", "", "")
    return {name: str(value) for name, value in broker_settings(0, [(1, 2)], known, "broker-0").items()}


def test_what_both_brokers_are_told_they_are_told_alike() -> None:
    """
    Who may do what, what is made by itself, and of how many copies a record is: on the tested broker as on that one.
    """
    ours, theirs = embedded(), composed()
    both = {name for name in ours.keys() & theirs.keys() if not PLACES.fullmatch(name)}

    assert {name: theirs[name] for name in both} == {name: ours[name] for name in both}
    assert {"authorizer.class.name", "allow.everyone.if.no.acl.found", "super.users"} <= both


def test_what_one_of_them_is_told_and_the_other_is_not_has_a_reason() -> None:
    """
    A setting that is added to one has to be added to the other, or to a list above with its reason.
    """
    ours, theirs = embedded(), composed()
    only_ours = {name for name in ours.keys() - theirs.keys() if not PLACES.fullmatch(name)}
    only_theirs = {name for name in theirs.keys() - ours.keys() if not PLACES.fullmatch(name)}

    assert only_ours == SMALL | QUICK | AT_REST | BY_DEFAULT.keys()
    assert {name: ours[name] for name in BY_DEFAULT} == BY_DEFAULT
    assert {name: theirs[name] for name in only_theirs} == ONLY_COMPOSE


def test_clients_log_in_by_the_same_mechanism() -> None:
    """
    SCRAM-SHA-512 and nothing else, on the tested broker as on that one.
    """
    for settings in (embedded(), composed()):
        assert settings["listener.name.client.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
        assert settings["listener.name.controller.sasl.enabled.mechanisms"] == "PLAIN"
