"""Who has asked to be told: ministries of three countries, in their languages, where they are, at their own times."""

from dataclasses import dataclass, field
from typing import Any

WEBHOOK_SECRETS = {
    "sre-sistemas": "whsec_cGxlZGdld2lyZS1kZW1vLXNlY3JldC1zcmU=",
    "amc-registre": "whsec_cGxlZGdld2lyZS1kZW1vLXNlY3JldC1hbWM=",
}
"""The demo's only; they never leave the loopback interface."""


@dataclass(frozen=True)
class DemoSubscription:
    """A subscription that the demo makes; `address` is a path of its inbox, or an e-mail address."""

    subscriber: str
    channel: str
    address: str
    language: str
    zone: str
    filters: dict[str, list[str]] = field(default_factory=dict)
    secret: str | None = None
    ladder: dict[str, Any] | None = None
    level: str | None = None

    def request(self, inbox_url: str) -> dict[str, Any]:
        """What is posted to the notifier."""
        address = self.address if self.channel == "email" else f"{inbox_url}{self.address}"
        body: dict[str, Any] = {
            "subscriber": self.subscriber,
            "channel": self.channel,
            "address": address,
            "language": self.language,
            "zone": self.zone,
            "filters": self.filters,
            "ladder": self.ladder,
            "level": self.level,
        }
        return body | ({"secret": self.secret} if self.secret else {})


STATE = "U.S. Department of State"
RELACIONES = "Secretaría de Relaciones Exteriores"
GLOBAL_AFFAIRS = "Affaires mondiales Canada"
MEDIO_AMBIENTE = "Secretaría de Medio Ambiente y Recursos Naturales"
ENVIRONMENT = "Environnement et Changement climatique Canada"

SUBSCRIPTIONS = (
    DemoSubscription(STATE, "email", "nals@state.example", "en", "America/New_York", {"parties": ["US"]}),
    DemoSubscription(STATE, "slack", "/hooks/slack/climate", "en", "America/New_York", {"themes": ["climate"]}),
    DemoSubscription(
        RELACIONES,
        "email",
        "cumbres@sre.example",
        "es",
        "America/Mexico_City",
        {"events": ["milestone-scheduled", "milestone-due", "status-changed"]},
    ),
    DemoSubscription(
        RELACIONES,
        "webhook",
        "/hooks/webhook/sre-sistemas",
        "es",
        "America/Mexico_City",
        secret=WEBHOOK_SECRETS["sre-sistemas"],
    ),
    DemoSubscription(GLOBAL_AFFAIRS, "teams", "/hooks/teams/canada", "fr", "America/Toronto", {"parties": ["CA"]}),
    DemoSubscription(
        GLOBAL_AFFAIRS,
        "email",
        "sommets@amc.example",
        "fr",
        "America/Toronto",
        {"events": ["milestone-due", "status-changed"]},
    ),
    DemoSubscription(
        MEDIO_AMBIENTE,
        "email",
        "compromisos@semarnat.example",
        "es",
        "America/Mexico_City",
        {"parties": ["MX"], "events": ["milestone-due"]},
        ladder={"rungs": "-1m, -3bd 10:00, 0 08:00, +1w", "holidays": {"country": "MX"}},
    ),
    DemoSubscription(
        ENVIRONMENT,
        "email",
        "point-focal@eccc.example",
        "fr",
        "America/Toronto",
        {"parties": ["CA"], "events": ["milestone-escalated"]},
        level="focal-point",
    ),
    DemoSubscription(
        GLOBAL_AFFAIRS,
        "webhook",
        "/hooks/webhook/amc-registre",
        "fr",
        "America/Toronto",
        {"events": ["consistency-flagged"]},
        secret=WEBHOOK_SECRETS["amc-registre"],
    ),
)
