"""A receiver of Standard Webhooks that checks the signature, as every receiver should."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from deploy.embedded.inbox import identities
from deploy.embedded.inbox.verdicts import AcceptedPost, RefusedPost, Verdict, title_of

SIGNED = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")


def judge(verifier: Webhook | None, headers: Mapping[bytes, bytes], body: bytes) -> Verdict:
    """204 for what is signed with the receiver's secret in the last five minutes."""
    if verifier is None:
        return RefusedPost(401, b"no secret is known for this receiver", "no secret is known for this name")
    if missing := [name.decode() for name in SIGNED if name not in headers]:
        return RefusedPost(400, b"not signed", f"without {', '.join(missing)}")
    try:
        payload = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        return RefusedPost(400, b"no JSON", f"no JSON: {error}"[:200])
    told = {name.decode(): headers[name].decode("latin-1") for name in SIGNED}
    try:
        verifier.verify(body, told, json_parse=False)
    except WebhookVerificationError as error:
        return RefusedPost(401, b"bad signature", str(error))
    except ValueError:  # the library unpacks and decodes the header's parts unguarded
        return RefusedPost(401, b"bad signature", "webhook-signature is malformed")
    delivery, commitment = identities.of_webhook(headers, payload)
    given = len(told["webhook-signature"].split())
    note = f"Signature verified, {f'one of {given}, ' if given > 1 else ''}made at {_moment(told['webhook-timestamp'])}"
    return AcceptedPost(204, b"", title_of(_title(payload)), delivery, commitment, note)


def _title(payload: Any) -> str:
    if not isinstance(payload, dict):
        return "(no event)"
    parts = [str(payload[key]) for key in ("type", "subject") if isinstance(payload.get(key), str)]
    return ": ".join(parts) or "(no event)"


def _moment(seconds: str) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
