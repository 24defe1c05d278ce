"""Our own pods: a Deployment, a Service and a disruption budget for each service, and the job that migrates."""

from services.cli import VERSION
from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.kubernetes.cloudnative_pg import authority_secret
from services.cli.kubernetes.environment import DATABASE_AUTHORITY, KAFKA_AUTHORITY, variables
from services.cli.kubernetes.objects import ADMIN_PORT, HTTP_PORT, MIGRATION, KubernetesObject, labels_of, object_of
from services.cli.kubernetes.values import ClusterValues, ServiceValues

USER = 10001
"""As the image has it; a number, since Kubernetes can check no name."""
DRAINING = 40
"""Seconds: a service finishes what it has begun within 25, and then closes."""
GONE_FROM_SERVICE = 5
"""Seconds before SIGTERM, in which everybody learns to send it no more requests."""
STARTING = 600
"""Seconds in which a start may wait for Kafka, the database and the schema, before it begins anew."""

MIGRATE = (
    "python -m services.cli.main db upgrade"
    " && python -m services.cli.main access roles"
    " && python -m services.cli.main keys add registry --role holder --from SCHEDULER_KEY"
)


def service_objects(name: str, values: ClusterValues) -> list[KubernetesObject]:
    """All of one service."""
    sized: ServiceValues = getattr(values.services, name)
    return [_deployment(name, sized, values), _service(name), _disruption_budget(name)]


def migration_job(values: ClusterValues) -> KubernetesObject:
    """Brings the schemas to this release's revision; a name for each release, since a job's template can't change.

    Nothing waits for it but the services themselves: one whose schema is older than its code says so and waits.
    """
    container = _container(MIGRATION, values) | {
        "command": ["sh", "-c"],
        "args": [MIGRATE],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    }
    spec = {
        "backoffLimit": 20,
        "ttlSecondsAfterFinished": 7 * 86_400,
        "template": {
            "metadata": {"labels": labels_of(MIGRATION)},
            "spec": _pod(container, MIGRATION, values, restart="OnFailure"),
        },
    }
    return object_of("batch/v1", "Job", f"migration-{VERSION.replace('.', '-')}", spec, component=MIGRATION)


def _deployment(name: str, sized: ServiceValues, values: ClusterValues) -> KubernetesObject:
    container = _container(name, values) | {
        "args": [f"services.{name}"],
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT},
            {"name": "admin", "containerPort": ADMIN_PORT},
        ],
        "resources": {
            "requests": {"cpu": sized.cpu, "memory": sized.memory},
            "limits": {"memory": sized.memory},
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": GONE_FROM_SERVICE}}},
        **_probes(),
    }
    spec: KubernetesObject = {
        "selector": {"matchLabels": labels_of(name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {"labels": labels_of(name)},
            "spec": _pod(container, name, values) | {"topologySpreadConstraints": _spread(name)},
        },
    }
    if name != "notifier":  # its number is KEDA's: to apply these again must not take pods away from it
        spec = {"replicas": sized.replicas, **spec}
    return object_of("apps/v1", "Deployment", name, spec, component=name)


def _probes() -> KubernetesObject:
    """A start is over once the service is ready; from then on it is asked only whether it lives.

    Were `/readyz` asked all the time, a Kafka that is away would take the registry's interface away too, which goes on
    accepting updates. What is not ready shows in the metrics and is answered with 503 where it matters.
    """

    def asked(path: str, period: int, failures: int) -> KubernetesObject:
        return {
            "httpGet": {"path": path, "port": "http"},
            "periodSeconds": period,
            "timeoutSeconds": 4,
            "failureThreshold": failures,
        }

    return {
        "startupProbe": asked("/readyz", 5, STARTING // 5),
        "readinessProbe": asked("/livez", 5, 2),
        "livenessProbe": asked("/livez", 10, 6),
    }


def _container(name: str, values: ClusterValues) -> KubernetesObject:
    return {
        "name": name,
        "image": values.image,
        "env": variables(name, values),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  the container's own
            *({"name": one, "mountPath": path, "readOnly": True} for one, path, _ in _authorities(name, values)),
        ],
    }


def _pod(container: KubernetesObject, name: str, values: ClusterValues, *, restart: str = "Always") -> KubernetesObject:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": restart,
        "terminationGracePeriodSeconds": DRAINING + GONE_FROM_SERVICE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            *(
                {"name": one, "secret": {"secretName": secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
                for one, _, secret in _authorities(name, values)
            ),
        ],
    }


def _authorities(name: str, values: ClusterValues) -> list[tuple[str, str, str]]:
    """Whose certificates a container believes: the volume, the folder and the Secret of each."""
    found = []
    if name != MIGRATION:
        found.append(("kafka-authority", KAFKA_AUTHORITY, f"{values.kafka.cluster}-cluster-ca-cert"))
    if name == MIGRATION or name in SERVICES_WITH_SCHEMA:
        found.append(("database-authority", DATABASE_AUTHORITY, authority_secret(values)))
    return found


def _spread(name: str) -> list[KubernetesObject]:
    """Over nodes and zones, as far as there are several."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels_of(name)},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def _service(name: str) -> KubernetesObject:
    spec = {"selector": labels_of(name), "ports": [{"name": "http", "port": HTTP_PORT, "targetPort": "http"}]}
    return object_of("v1", "Service", name, spec, component=name)


def _disruption_budget(name: str) -> KubernetesObject:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(name)}}
    return object_of("policy/v1", "PodDisruptionBudget", name, spec, component=name)
