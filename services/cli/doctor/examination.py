"""Which checks there are for an instance, and what helps where one can't even be made. A new check is a line here."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from services.cli.doctor.database_checks import DatabaseDoctor
from services.cli.doctor.diagnosis import Check, Diagnosis, behind, unknown
from services.cli.doctor.kafka_checks import KafkaDoctor
from services.cli.doctor.machine_checks import (
    look_at_certificate,
    look_at_clock,
    look_at_disk,
    look_at_served_certificate,
    look_at_zone_data,
    look_up,
)
from services.cli.doctor.service_checks import look_at_mail, look_at_service
from services.cli.doctor.surroundings import Surroundings

_DATABASE = "see that PostgreSQL runs, and that DATABASE_URL names it with its password"
_KAFKA = "see that Kafka runs, and correct KAFKA_BOOTSTRAP_SERVERS and the KAFKA_SASL_ and KAFKA_SSL_ settings"


def checks_of(around: Surroundings, now: datetime) -> list[Check]:
    """What is looked at; of what nobody has named, that it isn't."""
    return [*_machine(around, now), *_services(around), *_database(around), *_kafka(around), *_mail(around)]


def _machine(around: Surroundings, now: datetime) -> list[Check]:
    checks = [
        _at_once("clock", partial(look_at_clock, around.clock_file)),
        _at_once("zone data", partial(look_at_zone_data, now)),
        Check("DNS", partial(look_up, around.hosts), "correct the names in the settings"),
    ]
    if around.state:
        checks.insert(0, _at_once("disk", partial(look_at_disk, around.state)))
    for certificate, key, host in around.certificates:
        checks.append(
            _at_once(f"certificate {certificate.name}", partial(look_at_certificate, certificate, key, host, now))
        )
    secure = [url for url in around.public_urls if url.startswith("https://")]
    checks += [
        Check(f"certificate of {url}", partial(look_at_served_certificate, url, now), "renew it") for url in secure
    ]
    if not around.certificates and not secure:
        checks.append(_not_looked_at("certificate", "readers come over plain HTTP: no certificate is named"))
    return checks


def _services(around: Surroundings) -> list[Check]:
    if not around.urls:
        return [_not_looked_at("ports", "no service's address is named: REGISTRY_URL and the others, or --state")]
    is_expected = around.is_running or not around.state
    return [
        Check(
            f"port of {name}",
            partial(look_at_service, name, url, around.admin_urls[name], is_expected=is_expected),
            "see the service's log",
        )
        for name, url in around.urls.items()
    ]


def _database(around: Surroundings) -> list[Check]:
    if not around.database_url:
        return [_not_looked_at("database", "no database is named: DATABASE_URL, or an instance that runs")]
    doctor = DatabaseDoctor(around.database_url)
    checks = [
        Check("schemas", doctor.look_at_schemas, _DATABASE),
        Check("clocks", doctor.look_at_clock, _DATABASE),
        Check("unpublished", doctor.look_at_unpublished, _DATABASE),
        Check("sending", doctor.look_at_sending, _DATABASE),
        Check("secrets", partial(doctor.look_at_secrets, around.keys), _DATABASE),
    ]
    return [behind("database", doctor.reach, checks, _DATABASE)]


def _kafka(around: Surroundings) -> list[Check]:
    if around.kafka is None:
        return [_not_looked_at("Kafka", "no broker is named: KAFKA_BOOTSTRAP_SERVERS, or an instance that runs")]
    doctor = KafkaDoctor(around.kafka, around.access_file)
    checks = [
        Check("topics", doctor.look_at_topics, "pledgewire topics plan"),
        Check("ACLs", doctor.look_at_access, "pledgewire access plan"),
        Check("lag", doctor.look_at_lag, _KAFKA),
        Check("dead letters", doctor.look_at_dead_letters, "pledgewire topics apply"),
    ]
    return [behind("Kafka", doctor.reach, checks, _KAFKA)]


def _mail(around: Surroundings) -> list[Check]:
    if not around.smtp.get("host"):
        return [_not_looked_at("mail", "no mail server is named, so nobody can subscribe to mail: SMTP_HOST")]
    return [Check("mail", partial(look_at_mail, around.smtp), "correct the SMTP_ settings")]


def _at_once(name: str, look: Callable[[], Diagnosis]) -> Check:
    async def looked() -> Diagnosis:
        return look()

    return Check(name, looked, "see what the message says")


def _not_looked_at(name: str, why: str) -> Check:
    return _at_once(name, partial(unknown, name, why))
