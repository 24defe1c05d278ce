"""Reads topics of Pledgewire with aiokafka and prints a line for each event. What they promise: contracts/README.md."""

import asyncio
import json
import os
import signal
import sqlite3
import ssl
import sys

from aiokafka import AIOKafkaConsumer, ConsumerRecord

USER = os.environ["KAFKA_SASL_USERNAME"]  # your ministry's code, with which your groups have to begin
TOPICS = os.environ.get("TOPICS", "commitment-created,milestone-scheduled,status-changed").split(",")
LANGUAGE = os.environ.get("READER_LANGUAGE", "en")

seen = sqlite3.connect(os.environ.get("SEEN_FILE", "seen.sqlite"))
seen.execute("create table if not exists seen (topic, commitment, seq, primary key (topic, commitment))")


def work_on(topic: str, event: dict) -> None:
    """Your work goes here: in the transaction that remembers the event."""
    commitment, what = event["commitment"], event.get("status") or event.get("phase") or ""
    title = commitment["title"].get(LANGUAGE) or commitment["title"][commitment["language"]]
    print(topic, commitment["id"], f"#{event['seq']}", title, what, flush=True)


def take(record: ConsumerRecord) -> None:
    if dict(record.headers).get("ce_type") != f"org.pledgewire.{record.topic}.v1".encode():
        return  # another version of the event: a release says long before when this one ends
    event = json.loads(record.value)
    place = record.topic, event["commitment"]["id"]
    last = seen.execute("select seq from seen where topic = ? and commitment = ?", place).fetchone()
    if last and event["seq"] <= last[0]:
        return  # a repeat: events come at least once
    if last and event["seq"] > last[0] + 1:
        print("LOST", *place, f"between #{last[0]} and #{event['seq']}", flush=True)  # tell the operator
    with seen:
        work_on(record.topic, event)
        seen.execute("insert or replace into seen values (?, ?, ?)", (*place, event["seq"]))


async def main() -> None:
    consumer = AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], group_id=f"{USER}.aiokafka",
        auto_offset_reset="earliest", enable_auto_commit=False,  # or a new group misses what came before it
        security_protocol=os.environ.get("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
        sasl_mechanism="SCRAM-SHA-512", sasl_plain_username=USER, sasl_plain_password=os.environ["KAFKA_SASL_PASSWORD"],
        ssl_context=ssl.create_default_context(cafile=os.environ.get("KAFKA_SSL_CAFILE")),
    )  # fmt: skip
    async with consumer:
        while True:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    take(record)
            await consumer.commit()  # what is not committed comes again, and is known


signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # to leave the group at once, not after seconds of silence
asyncio.run(main())
