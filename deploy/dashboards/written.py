"""A dashboard as the text of its file."""

import json

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder


def as_json(dashboard: Dashboard) -> str:
    """Indented, with sorted names, so that a change can be read."""
    return json.dumps(dashboard.build(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
