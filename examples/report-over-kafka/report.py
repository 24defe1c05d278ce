"""Reports a status on the ministry's own topic and waits for the word on it: python report.py COMMITMENT STATUS [NOTE]

The report and both answers are in contracts/README.md: status-reported, status-changed, status-rejected.
"""

import asyncio
import json
import os
import ssl
import sys
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

USER = os.environ["KAFKA_SASL_USERNAME"]  # your ministry's code: you write to its topic, and to no other
PATIENCE = float(os.environ.get("PATIENCE", "30"))  # seconds
client = {
    "bootstrap_servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "security_protocol": os.environ.get("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_plain_username": USER,
    "sasl_plain_password": os.environ["KAFKA_SASL_PASSWORD"],
    "ssl_context": ssl.create_default_context(cafile=os.environ.get("KAFKA_SSL_CAFILE")),
}


async def main(commitment: str, status: str, note: str | None = None) -> int:
    # To send a report again, give its id again: it counts once.
    report_id, now = os.environ.get("REPORT_ID") or str(uuid4()), datetime.now(UTC).isoformat()
    report = {"report_id": report_id, "commitment_id": commitment, "status": status, "note": note, "reported_at": now}
    if url := os.environ.get("EVIDENCE_URL"):  # what shows it: some changes need it, such as to `met`
        report["evidence"] = {"url": url, "title": os.environ.get("EVIDENCE_TITLE", url), "retrieved_on": now[:10]}
    ce = {"specversion": "1.0", "type": "org.pledgewire.status-reported.v1", "source": f"/{USER}", "time": now}
    headers = {f"ce_{name}": text for name, text in {**ce, "id": report_id}.items()}
    # Without a group: it listens from now on, and remembers nothing.
    answers = AIOKafkaConsumer("status-changed", f"status-rejected-{USER}", **client)
    producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True)
    async with answers, producer:
        await answers.seek_to_end()
        await producer.send_and_wait(
            f"status-reported-{USER}", json.dumps(report).encode(), key=commitment.encode(),
            headers=[*((k, v.encode()) for k, v in headers.items()), ("content-type", b"application/json")],
        )  # fmt: skip
        print("sent:", report_id, flush=True)
        async with asyncio.timeout(PATIENCE):  # no answer: the registry may be away, and the report waits for it
            async for record in answers:
                answer = json.loads(record.value)
                if answer.get("report_id") == report_id:
                    refused = record.topic.startswith("status-rejected")
                    told = f"{answer['reason']}: {answer['detail']}" if refused else answer["status"]
                    print("refused:" if refused else "recorded:", told, flush=True)
                    return int(refused)
    return 1


sys.exit(asyncio.run(main(*sys.argv[1:])))
