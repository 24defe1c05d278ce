"""How fast deliveries go, against the raw limit of the same machine in the same run.

`./pledgewire bench delivery` alternates two ways of getting the same events to the same sink:

- raw: an aiokafka consumer that posts every event to every receiver with aiohttp, signed; nothing is durable;
- whole: Pledgewire's notifier, every delivery a row of a PostgreSQL with fsync and synchronous commit on.
"""
