"""The raw limit over Kafka: an aiokafka consumer with one INSERT a record; nothing is judged, nothing is published."""

import asyncio
import sys

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer

from services.plumbing.kafka.settings import KafkaSettings


async def main(topic: str, group: str, records: int, database_url: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "bench"})
    insert = await connection.prepare("insert into raw (run, body) values ($1, $2)")
    consumer = AIOKafkaConsumer(
        topic,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **KafkaSettings().client_options(),
    )
    await consumer.start()
    read = 0
    while read < records:
        for batch in (await consumer.getmany(timeout_ms=500, max_records=500)).values():
            for record in batch:
                await insert.fetch(group, record.value)
            read += len(batch)
        await consumer.commit()
    await consumer.stop()
    await connection.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
