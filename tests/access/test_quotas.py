"""A principal's quota is on the broker, and holds it back; others don't notice."""

from collections.abc import Awaitable, Callable

from services.cli.access.admin import AccessAdmin
from services.cli.access.applying import apply_access, new_password
from services.cli.access.document import access_from
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import Asker, as_principal

RATE = 4096
DOCUMENT = access_from(
    f"""
ministry_quota: {{produce_bytes_per_second: {RATE}, consume_bytes_per_second: {RATE}, request_percent: 1}}
ministries:
  mx-sre: {{read: [status-changed], report: true}}
  us-dos: {{read: [status-changed], report: true, quota: {{produce_bytes_per_second: 1000000000}}}}
""",
    "the test's file",
)


async def passwords_for(kafka: KafkaSettings) -> dict[str, str]:
    passwords = {code: new_password() for code in DOCUMENT.ministries}
    await apply_access(kafka, DOCUMENT, passwords)
    return passwords


async def test_each_has_its_quota(kafka: KafkaSettings) -> None:
    """
    The one of all, or its own in place of it.
    """
    await passwords_for(kafka)

    async with AccessAdmin(kafka) as admin:
        quotas = (await admin.found()).quotas

    assert quotas == {
        "mx-sre": {"producer_byte_rate": RATE, "consumer_byte_rate": RATE, "request_percentage": 1.0},
        "us-dos": {"producer_byte_rate": 1e9},
    }


async def is_held_back(ask: Callable[[], Awaitable[int]], times: int) -> bool:
    """Whether the broker says so to one of so many questions."""
    for _ in range(times):
        if await ask() > 0:
            return True
    return False


async def test_who_goes_beyond_its_quota_is_held_back_and_others_are_not(kafka: KafkaSettings) -> None:
    """
    By what it writes, what it reads and what it asks; who has another quota does the same beside it, and is not.
    """
    passwords = await passwords_for(kafka)
    async with Asker(kafka) as admin:
        for _ in range(20):
            await admin.held_back_writing("status-changed", 16_384)
    for what in ("writing", "reading", "asking"):
        async with (
            Asker(as_principal(kafka, "mx-sre", passwords["mx-sre"])) as bound,
            Asker(as_principal(kafka, "us-dos", passwords["us-dos"])) as free,
        ):
            questions: dict[str, Callable[[Asker, str], Awaitable[int]]] = {
                "writing": lambda one, code: one.held_back_writing(f"status-reported-{code}", 8192),
                "reading": lambda one, code: one.held_back_reading("status-changed"),
                "asking": lambda one, code: one.held_back_asking(),
            }
            ask = questions[what]
            times = 2000 if what == "asking" else 30
            assert await is_held_back(lambda: ask(bound, "mx-sre"), times), what  # noqa: B023  awaited at once
            assert not await is_held_back(lambda: ask(free, "us-dos"), min(times, 300)), what  # noqa: B023
