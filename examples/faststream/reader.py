"""Reads topics of Pledgewire with FastStream, prints a line for each event. What they promise: contracts/README.md."""

import asyncio
import logging
import os
import sqlite3
import ssl
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

USER = os.environ["KAFKA_SASL_USERNAME"]  # your ministry's code, with which your groups have to begin
TOPICS = os.environ.get("TOPICS", "commitment-created,milestone-scheduled,status-changed").split(",")
LANGUAGE = os.environ.get("READER_LANGUAGE", "en")
TLS = os.environ.get("KAFKA_SECURITY_PROTOCOL", "SASL_SSL") == "SASL_SSL"

seen = sqlite3.connect(os.environ.get("SEEN_FILE", "seen.sqlite"))
seen.execute("create table if not exists seen (topic, commitment, seq, primary key (topic, commitment))")
broker = KafkaBroker(
    os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(","),
    security=SASLScram512(
        USER,
        os.environ["KAFKA_SASL_PASSWORD"],
        ssl_context=ssl.create_default_context(cafile=os.environ.get("KAFKA_SSL_CAFILE")) if TLS else None,
        use_ssl=TLS,
    ),
    logger=logging.getLogger("reader"),  # warnings and errors, on standard error
    allow_auto_create_topics=False,  # asking for a topic doesn't make it: a typing error would read as a refusal
)


@broker.subscriber(
    *TOPICS,
    group_id=f"{USER}.faststream",
    auto_offset_reset="earliest",  # or a new group misses what came before it
    ack_policy=AckPolicy.NACK_ON_ERROR,  # the default acknowledges before your function has run
)
async def read(event: dict[str, Any], message: KafkaMessage) -> None:
    topic, commitment, seq = message.raw_message.topic, event["commitment"], event["seq"]
    if message.headers.get("ce_type") != f"org.pledgewire.{topic}.v1":
        return  # another version of the event: a release says long before when this one ends
    place = topic, commitment["id"]
    last = seen.execute("select seq from seen where topic = ? and commitment = ?", place).fetchone()
    if last and seq <= last[0]:
        return  # a repeat: events come at least once
    if last and seq > last[0] + 1:
        print("LOST", *place, f"between #{last[0]} and #{seq}", flush=True)  # tell the operator
    with seen:  # your work goes here, in the transaction that remembers the event
        title = commitment["title"].get(LANGUAGE) or commitment["title"][commitment["language"]]
        print(topic, commitment["id"], f"#{seq}", title, event.get("status") or event.get("phase") or "", flush=True)
        seen.execute("insert or replace into seen values (?, ?, ?)", (*place, seq))


asyncio.run(FastStream(broker).run())
