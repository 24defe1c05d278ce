"""What differs from cluster to cluster (`deploy/kubernetes/values.yaml`), read strictly."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.cli.yaml_files import read_yaml_file

PROJECT = Path(__file__).resolve().parents[3]
SHIPPED = PROJECT / "deploy" / "kubernetes" / "values.yaml"

Label = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name as Kubernetes takes it everywhere (RFC 1123)."""
Quantity = Annotated[str, Field(pattern=r"^[1-9][0-9]*(m|Ki|Mi|Gi|Ti)?$")]
Url = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]+)?$")]
Network = Annotated[str, Field(pattern=r"^[0-9a-f.:]+/[0-9]{1,3}$")]


class _ValuesPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PublicAddresses(_ValuesPart):
    """Where people and programs outside reach each service, without a slash at the end."""

    portal: Url
    registry: Url
    scheduler: Url
    notifier: Url


class IngressValues(_ValuesPart):
    """Who lets requests in from outside."""

    class_name: Label
    namespace: Label
    """Where its pods are: they, and nobody else, reach our HTTP ports from outside."""
    tls_secret: Label
    """A certificate for the public names."""


class KafkaValues(_ValuesPart):
    """The Strimzi cluster."""

    cluster: Label
    create: bool = True
    """False where the cluster is there already, in this namespace: then only topics and users are written."""
    brokers: Annotated[int, Field(ge=3)] = 3
    storage: Quantity = "50Gi"
    cpu: Quantity = "1"
    memory: Quantity = "2Gi"
    external: Literal["none", "loadbalancer", "nodeport"] = "none"
    """How ministries' clients reach it, over TLS and by SCRAM-SHA-512 like ours."""


class DatabaseValues(_ValuesPart):
    """The CloudNativePG cluster."""

    cluster: Label
    create: bool = True
    instances: Annotated[int, Field(ge=2)] = 3
    """One leads, one at least follows each commit before it counts."""
    image: str
    storage: Quantity = "50Gi"
    cpu: Quantity = "1"
    memory: Quantity = "2Gi"
    operator_namespace: Label = "cnpg-system"


class ServiceValues(_ValuesPart):
    """One of our services: how many pods, and what each may use."""

    replicas: Annotated[int, Field(ge=2)] = 2
    """Two at least, or the loss of a node is an outage."""
    cpu: Quantity
    memory: Quantity


class NotifierValues(ServiceValues):
    """The notifier, whose pods are as many as there is work."""

    most_replicas: Annotated[int, Field(ge=2)]
    lag_per_replica: Annotated[int, Field(ge=1)]
    """Records not read yet, of one topic, for which one more pod is started."""
    due_per_replica: Annotated[int, Field(ge=1)]
    """Deliveries that are due, for which one more pod is started."""
    allow_networks: tuple[Network, ...] = ()
    """Networks beyond the public one to which it may deliver: a mail server inside, a chat of one's own."""

    @model_validator(mode="after")
    def _grows(self) -> "NotifierValues":
        if self.most_replicas < self.replicas:
            raise ValueError("most_replicas is less than replicas")
        return self


class ServicesValues(_ValuesPart):
    """Our four services."""

    registry: ServiceValues
    scheduler: ServiceValues
    notifier: NotifierValues
    portal: ServiceValues


class MailValues(_ValuesPart):
    """The mail server; its user and password, if it wants any, are in the Secret `pledgewire-mail`."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, Field(min_length=3)]
    has_login: bool = True


class ClusterValues(_ValuesPart):
    """All that differs from cluster to cluster."""

    namespace: Label
    image: Annotated[str, Field(pattern=r"^[a-z0-9./:-]+[:@][A-Za-z0-9._:-]+$")]
    """With a tag or a digest: one without either would change under a running cluster."""
    public: PublicAddresses
    ingress: IngressValues
    monitoring_namespace: Label
    """Where Prometheus is."""
    keda_namespace: Label = "keda"
    pod_networks: tuple[Network, ...] = ("10.0.0.0/8",)
    """Where pods are: what the ingress says of who asks is believed, and our own pods' requests aren't counted."""
    kafka: KafkaValues
    database: DatabaseValues
    services: ServicesValues
    mail: MailValues


def read_values(path: Path = SHIPPED) -> ClusterValues:
    """What a file says; raises `YamlFileError`."""
    return read_yaml_file(path, ClusterValues)
