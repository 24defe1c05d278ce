"""Which limit an address has: by host, by channel, by setting."""

import pytest
from pydantic import ValidationError

from services.notifier.delivery.platform_limits import PaceSettings, PlatformLimits


def of(channel: str, address: str, limits: str = "") -> float | None:
    return PlatformLimits(PaceSettings(limits=limits).limits).of(channel, address)  # type: ignore[arg-type]  # as set


@pytest.mark.parametrize(
    ("channel", "address", "limits", "per_second"),
    [
        ("slack", "https://hooks.slack.com/services/T/B/x", "", 1.0),
        ("slack", "https://chat.ministry.example/hooks/x", "", 1.0),
        ("teams", "https://prod-1.westus.logic.azure.com:443/workflows/x", "", 4.0),
        ("webhook", "https://HOOKS.slack.com./services/T/B/x", "", 1.0),
        ("webhook", "https://discord.com/api/webhooks/1/x/slack", "", 0.5),
        ("webhook", "https://notdiscord.com/x", "", None),
        ("webhook", "https://ministry.example/x", "", None),
        ("email", "desk@discord.com", "", None),
        ("webhook", "https://a.ministry.example/x", "ministry.example=2", 2.0),
        ("slack", "http://127.0.0.1:8425/hooks/slack/a", "127.0.0.1:8425=none", None),
        ("slack", "http://127.0.0.1:8426/hooks/slack/a", "127.0.0.1:8425=none", 1.0),
        ("slack", "https://hooks.slack.com/x", "slack=5, hooks.slack.com = 0.5", 0.5),
        ("webhook", "http://[::1]:80/x", "[::1]:80=3", 3.0),
    ],
)
def test_a_host_counts_more_than_its_channel_and_a_setting_most(
    channel: str, address: str, limits: str, per_second: float | None
):
    assert of(channel, address, limits) == per_second


@pytest.mark.parametrize("limits", ["a.example", "a.example=0", "a.example=x", "=1", "b.example=-1", "a.example=nan"])
def test_a_setting_that_is_no_limit_is_refused_at_start(limits: str):
    with pytest.raises(ValidationError):
        of("webhook", "https://a.example/", limits)
