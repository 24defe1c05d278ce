"""The kits in examples/, run as they stand against a whole Pledgewire: over TLS, with a ministry's own rights."""

import asyncio
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from standardwebhooks import Webhook

from deploy.embedded.ports import free_ports
from deploy.embedded.prepare import pins
from deploy.embedded.tls_listener import TlsListener
from services.cli.access.applying import new_password, rotate
from services.cli.fleet import PROJECT, free_port
from services.cli.running_stack import ApiClient, RunningStack, StackOptions, running_stack
from tests.journeys.kits import EXAMPLES, Kit, python, run, started
from tests.toolchains import need, run_gently

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MINISTRY = "mx-sre"
COAL, SUMMIT, VACCINES = "nals-2021-coal-finance", "nals-2021-next-summit", "nals-2021-vaccine-donations"
MET = {"report-over-http": "nals-2021-inclusion-across-agenda", "report-over-kafka": "nals-2021-deepen-economic-ties"}
"""One for each kit that reports that it is met."""
SECRETS = tuple(f"whsec_{b64encode(word * 3).decode()}" for word in (b"old secret", b"new secret"))


@dataclass
class Ministry:
    """What its engineer got from the operator."""

    stack: RunningStack
    environment: dict[str, str]
    commitments: int
    """How many the statement has."""

    @property
    def reports(self) -> dict[str, str]:
        """What a kit needs that reports over HTTP."""
        return {"REGISTRY_URL": self.stack.url("registry"), "PLEDGEWIRE_KEY": self.stack.keys[MINISTRY]}

    async def repeat_an_event(self, topic: str) -> None:
        """Publish the first record of a topic again, as our relay may do."""
        options = self.stack.kafka.client_options()
        consumer, producer = (
            AIOKafkaConsumer(topic, **options, auto_offset_reset="earliest"),
            AIOKafkaProducer(**options),
        )
        async with consumer, producer, asyncio.timeout(60):
            first = await consumer.getone()
            await producer.send_and_wait(topic, first.value, key=first.key, headers=list(first.headers))

    async def report(self, commitment: str, status: str, note: str) -> None:
        """Over HTTP, past all kits."""
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            answer = await http.post(
                f"{self.stack.url('registry')}/commitments/{commitment}/status-updates",
                json={"status": status, "note": note, "party": "MX"},
                headers={
                    "Authorization": f"Bearer {self.stack.keys[MINISTRY]}",
                    "Idempotency-Key": str(uuid4()),
                },
            )
            assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
async def ministry(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ministry]:
    folder = tmp_path_factory.mktemp("kits")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    leaf = authority.issue_cert("localhost")
    (folder / "certificate.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    with free_ports([0]) as (port,):
        tls = TlsListener.named(
            f"127.0.0.1:{port}", f"localhost:{port}", folder / "certificate.pem", folder / "key.pem"
        )
    options = StackOptions(
        state=folder / "stack",
        folder=folder / "fleet",
        clients=(
            ApiClient("tests", ("editor", "subscriber", "operator")),
            ApiClient(MINISTRY, ("reporter", "subscriber"), MINISTRY),
        ),
        tls=tls,
    )
    whole = running_stack(options, lambda line: None)
    stack = await asyncio.to_thread(whole.__enter__)
    try:
        password = new_password()
        await rotate(stack.kafka, MINISTRY, password)
        imported = await asyncio.to_thread(
            httpx2.post,
            f"{stack.url('registry')}/statements/import",
            json={"catalogue": "nals-2021"},
            headers={"Authorization": f"Bearer {stack.keys['tests']}", "Idempotency-Key": "import"},
            timeout=60,
            trust_env=False,
        )
        assert imported.status_code in (200, 201), imported.text
        assert stack.parts
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": stack.parts.tls_servers,
            "KAFKA_SASL_USERNAME": MINISTRY,
            "KAFKA_SASL_PASSWORD": password,
            "KAFKA_SSL_CAFILE": str(folder / "authority.pem"),
        }
        yield Ministry(stack, environment, imported.json()["commitments"])
    finally:
        await asyncio.to_thread(whole.__exit__, None, None, None)


@pytest.fixture(scope="module")
def go_reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("go", "the kit in Go is not run")
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(EXAMPLES / "go", folder, dirs_exist_ok=True)
    run_gently(folder, "go", "build", "-o", "reader", ".")
    return folder / "reader"


@pytest.mark.timeout(900)  # a compiler that begins with nothing
@pytest.mark.parametrize("kit", ["aiokafka", "faststream", "confluent-kafka", "go"])
async def test_a_reader_prints_every_event_once_and_goes_on_where_it_was(
    kit: str, ministry: Ministry, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """
    All that was there before it came, each in one line; started again, only what is new: no repeat.
    """
    command = [request.getfixturevalue("go_reader")] if kit == "go" else python(kit, "reader.py")
    only_created = {**ministry.environment, "TOPICS": "commitment-created"}
    async with started(command, only_created, tmp_path) as reader:
        lines = await reader.lines(ministry.commitments)
    await ministry.repeat_an_event("commitment-created")
    note = f"Told to {kit}"
    async with started(
        command, {**ministry.environment, "TOPICS": "commitment-created,status-changed"}, tmp_path
    ) as reader:
        await ministry.report(COAL, "in-progress", note)
        told = await reader.line()
        # What was being worked on when it was ended comes again; the kit in Go remembers nothing when it starts.
        while told == lines[-1] or (kit == "go" and told in lines):
            told = await reader.line()

    assert [line for line in lines if not re.match(r"commitment-created nals-2021-[a-z0-9-]+ #1 \S", line)] == []
    assert len({line.split()[1] for line in lines}) == ministry.commitments
    assert all(re.match(r"commitment-created nals-2021-[a-z0-9-]+ #1 \S", line) for line in lines)
    assert re.match(rf"status-changed {COAL} #1 \S.* in-progress$", told)


@pytest.mark.parametrize("kit", ["aiokafka", "faststream", "confluent-kafka"])
async def test_a_reader_without_the_authority_hears_nothing(kit: str, ministry: Ministry, tmp_path: Path) -> None:
    environment = {name: text for name, text in ministry.environment.items() if name != "KAFKA_SSL_CAFILE"}
    async with started(python(kit, "reader.py"), environment, tmp_path) as reader:
        assert reader.process.stderr
        async with asyncio.timeout(60):
            while b"certificate verify failed" not in await reader.process.stderr.readline():
                assert reader.process.returncode is None


@asynccontextmanager
async def receiving(folder: Path, *secrets: str) -> AsyncIterator[tuple[Kit, str]]:
    """The receiver of webhooks, and its address."""
    port = free_port()
    environment = {"WEBHOOK_SECRETS": ",".join(secrets), "HTTP_PORT": str(port)}
    async with started(python("webhook", "receiver.py"), environment, folder) as kit:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield kit, f"http://127.0.0.1:{port}/"


async def test_the_receiver_takes_what_the_notifier_signs(ministry: Ministry, tmp_path: Path) -> None:
    """
    With the secret of the subscription as the second of two: so it is while a secret is changed.
    """
    async with (
        receiving(tmp_path, *SECRETS) as (receiver, url),
        httpx2.AsyncClient(timeout=30, trust_env=False) as http,
    ):
        made = await http.post(
            f"{ministry.stack.url('notifier')}/subscriptions",
            json={
                "subscriber": "A ministry's system",
                "channel": "webhook",
                "address": url,
                "secret": SECRETS[1],
                "language": "es",
                "zone": "America/Mexico_City",
                "filters": {"events": ["status-changed"], "commitments": [VACCINES]},
            },
            headers={"Authorization": f"Bearer {ministry.stack.keys[MINISTRY]}"},
        )
        assert made.status_code == 201, made.text
        await ministry.report(VACCINES, "in-progress", "Told by webhook")

        assert re.match(rf"org\.pledgewire\.status-changed\.v1 {VACCINES} #1 \S.* in-progress$", await receiver.line())


def post(number: int, secret: str, body: str) -> dict[str, str]:
    now, webhook_id = datetime.now(UTC), f"post-{number}"
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }


async def test_the_receiver_refuses_what_is_not_signed_and_knows_repeats(tmp_path: Path) -> None:
    body = '{"type": "t", "data": {"seq": %d, "commitment": {"id": "c", "language": "en", "title": {"en": "T"}}}}'
    first, second = body % 1, body % 2
    stranger = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="
    async with (
        receiving(tmp_path, *SECRETS) as (receiver, url),
        httpx2.AsyncClient(timeout=30, trust_env=False) as http,
    ):
        posts = [
            (first, post(1, SECRETS[0], first)),
            (first, post(1, SECRETS[0], first)),
            (second, post(2, stranger, second)),
            (second, {}),
            (second, post(2, SECRETS[1], first)),
            (second, post(2, SECRETS[1], second)),
        ]
        answers = [(await http.post(url, content=content, headers=headers)).status_code for content, headers in posts]

        assert answers == [204, 204, 401, 401, 401, 204]
        assert await answer_to(url, b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n") == 413
        assert await answer_to(url, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == 413
        assert await receiver.lines(2) == ["t c #1 T ", "t c #2 T "]


async def answer_to(url: str, head: bytes) -> int:
    """The status that a request gets of which no body follows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
    writer.write(head)
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


@asynccontextmanager
async def unsteady(target: str) -> AsyncIterator[str]:
    """The address of a way to the registry that is busy at first, then loses an answer, and then is sound."""
    tries = iter(["busy", "lost"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        body, fate = await reader.readexactly(length), next(tries, "sound")
        if fate == "busy":
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
        else:
            line, _, headers = head.partition(b"\r\n")
            named = dict(one.split(": ", 1) for one in headers.decode().split("\r\n") if one)
            kept = {name: text for name, text in named.items() if name.lower() not in ("host", "content-length")}
            async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
                path = line.split()[1].decode()
                answer = await http.post(f"{target}{path}", content=body, headers=kept)
            if fate == "sound":
                told = f"HTTP/1.1 {answer.status_code} As told\r\nContent-Length: {len(answer.content)}\r\n\r\n"
                writer.write(told.encode() + answer.content)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_report_over_http_is_recorded_once_whatever_becomes_of_its_answers(
    ministry: Ministry, tmp_path: Path
) -> None:
    command = python("report-over-http", "report.py", SUMMIT, "in-progress", "Sent through a bad line")
    async with unsteady(ministry.reports["REGISTRY_URL"]) as url:
        ended, printed = await run(command, {**ministry.reports, "PARTY": "MX", "REGISTRY_URL": url}, tmp_path)

    async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
        history = await http.get(f"{ministry.reports['REGISTRY_URL']}/commitments/{SUMMIT}")
    notes = [one["note"] for one in history.json()["status_updates"]]
    assert ended == 0, printed
    assert ("not now (503)" in printed, "no answer" in printed, "recorded:" in printed) == (True, True, True)
    assert notes.count("Sent through a bad line") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [((SUMMIT, "nearly"), "refused (422)"), (("nals-2021-no-such", "met"), "refused (404)")],
)
async def test_a_report_over_http_that_can_not_be_is_told(
    words: tuple[str, str], said: str, ministry: Ministry, tmp_path: Path
) -> None:
    ended, printed = await run(python("report-over-http", "report.py", *words), ministry.reports, tmp_path)

    assert (ended, said in printed) == (1, True), printed


async def test_a_report_over_kafka_hears_that_it_was_recorded(ministry: Ministry, tmp_path: Path) -> None:
    command = python("report-over-kafka", "report.py", SUMMIT, "at-risk", "By Kafka")
    ended, printed = await run(command, ministry.environment, tmp_path)

    assert (ended, "recorded: at-risk" in printed) == (0, True), printed


@pytest.mark.parametrize("kit", ["report-over-http", "report-over-kafka"])
async def test_evidence_goes_with_a_report_that_needs_it(kit: str, ministry: Ministry, tmp_path: Path) -> None:
    environment = {**ministry.environment, **ministry.reports, "EVIDENCE_URL": "https://www.gob.mx/sre"}
    ended, printed = await run(python(kit, "report.py", MET[kit], "met"), environment, tmp_path)

    assert (ended, "recorded: met" in printed) == (0, True), printed


@pytest.mark.parametrize("words", [(SUMMIT, "nearly"), ("nals-2021-no-such", "in-progress"), (VACCINES, "met")])
async def test_a_report_over_kafka_hears_why_it_was_refused(
    words: tuple[str, str], ministry: Ministry, tmp_path: Path
) -> None:
    """
    No status, no commitment, and a commitment that is met without evidence.
    """
    ended, printed = await run(python("report-over-kafka", "report.py", *words), ministry.environment, tmp_path)

    assert (ended, bool(re.search(r"^refused: [a-z-]+: \S", printed, re.MULTILINE))) == (1, True), printed


WHICH_WORK = (PROJECT / "docs" / "for-engineers.md").read_text(encoding="utf-8").partition("### Which clients work")[2]
PROGRAMS = [path for path in sorted(EXAMPLES.rglob("*")) if path.suffix in (".py", ".go")]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_a_kit_is_short(program: Path) -> None:
    assert len(program.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("requirements.txt")), ids=lambda path: path.parent.name)
def test_what_a_kit_asks_for_is_what_it_was_tried_with(file: Path) -> None:
    locked = pins(PROJECT / "locks" / "development.txt")
    for line in file.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        assert locked[name.partition("[")[0]] == version
        assert name.partition("[")[0] == "standardwebhooks" or version in WHICH_WORK


def test_the_page_tells_the_version_that_was_tried_in_go() -> None:
    (version,) = re.findall(r"franz-go v(\S+)", (EXAMPLES / "go" / "go.mod").read_text(encoding="utf-8"))

    assert f"| franz-go for Go | {version} |" in WHICH_WORK


def test_the_kit_in_go_is_written_as_go_is() -> None:
    need("gofmt", "the kit in Go is not looked at")
    found = subprocess.run(["gofmt", "-d", str(EXAMPLES / "go")], capture_output=True, text=True, check=True)

    assert found.stdout == ""
