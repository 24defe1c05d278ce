"""A statement that comes along, taken in with what became known of it since."""

import httpx2

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY
from services.cli.up.instance import Instance


def take_in(instance: Instance, catalogue: str) -> str:
    """Have the registry import it with its chronicle; what came of it, in a line. A second time changes nothing.

    Raises EmbeddedError.
    """
    response = httpx2.post(
        f"{instance.where.inside['registry']}/statements/import",
        json={"catalogue": catalogue, "chronicle": True},
        headers={"Authorization": f"Bearer {instance.prepared.importer_key}"},
        timeout=120,
        trust_env=False,
    )
    if response.status_code == 404:
        raise EmbeddedError(f"there is no catalogue {catalogue}", "use nals-2021", ASKED_WRONGLY)
    if response.status_code != 200:
        raise EmbeddedError(
            f"the statement was not imported: {response.status_code} {response.text[:300]}",
            f"see {instance.fleet.log('registry')}",
        )
    told = response.json()
    return f"Took in {catalogue}: {told['commitments']} commitments, {told['created']} of them new"
