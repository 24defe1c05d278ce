"""The raw limit: read, sign, post; nothing is kept, nothing is tried again."""

import asyncio
import sys
from datetime import UTC, datetime

import aiohttp
import uvloop
from aiokafka import AIOKafkaConsumer
from standardwebhooks import Webhook

from bench.delivery.events import SECRET
from services.plumbing.kafka.settings import KafkaSettings

IN_FLIGHT = 64


async def main(topic: str, events: int, fan_out: int, sink: str) -> None:
    webhook = Webhook(SECRET)
    consumer = AIOKafkaConsumer(topic, **KafkaSettings().client_options(), auto_offset_reset="earliest")
    await consumer.start()
    room = asyncio.Semaphore(IN_FLIGHT)
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with (
        aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
        asyncio.TaskGroup() as group,
    ):

        async def post(url: str, message_id: str, body: str) -> None:
            now = datetime.now(UTC)
            headers = {
                "content-type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": webhook.sign(message_id, now, body),
            }
            try:
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    await response.read()
            finally:
                room.release()

        read = 0
        while read < events:
            for batch in (await consumer.getmany(timeout_ms=500, max_records=500)).values():
                for record in batch:
                    body = record.value.decode()
                    for receiver in range(fan_out):
                        await room.acquire()
                        group.create_task(post(f"{sink}/{receiver}", f"{read}-{receiver}", body))
                    read += 1
    await consumer.stop()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
