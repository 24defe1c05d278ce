"""Reads topics of Pledgewire with confluent-kafka, a line for each event. What they promise: contracts/README.md."""

import json
import os
import signal
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaException, Message

USER = os.environ["KAFKA_SASL_USERNAME"]  # your ministry's code, with which your groups have to begin
TOPICS = os.environ.get("TOPICS", "commitment-created,milestone-scheduled,status-changed").split(",")
LANGUAGE = os.environ.get("READER_LANGUAGE", "en")

seen = sqlite3.connect(os.environ.get("SEEN_FILE", "seen.sqlite"))
seen.execute("create table if not exists seen (topic, commitment, seq, primary key (topic, commitment))")
settings = {
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "security.protocol": os.environ.get("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": USER,
    "sasl.password": os.environ["KAFKA_SASL_PASSWORD"],
    "group.id": f"{USER}.confluent",
    "auto.offset.reset": "earliest",  # or a new group misses what came before it
    "enable.auto.offset.store": False,  # an offset is stored when its event has been worked on
    "allow.auto.create.topics": False,
}
if cafile := os.environ.get("KAFKA_SSL_CAFILE"):
    settings["ssl.ca.location"] = cafile


def take(message: Message) -> None:
    topic, event = message.topic(), json.loads(message.value())
    if dict(message.headers() or ()).get("ce_type") != f"org.pledgewire.{topic}.v1".encode():
        return  # another version of the event: a release says long before when this one ends
    commitment, seq = event["commitment"], event["seq"]
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


signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # to leave the group at once, not after 45 seconds of silence
consumer = Consumer(settings)
consumer.subscribe(TOPICS)
try:
    while True:
        if message := consumer.poll(1.0):
            if message.error():
                raise KafkaException(message.error())  # not granted, or a group that doesn't begin with your code
            take(message)
            consumer.store_offsets(message)
finally:
    consumer.close()
