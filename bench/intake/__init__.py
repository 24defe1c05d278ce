"""How fast status updates are taken in, against the raw limit of the same machine in the same run.

`./pledgewire bench intake` alternates, over HTTP and over Kafka:

- raw: the same HTTP server that answers a constant after one INSERT; an aiokafka consumer with one INSERT a record;
- whole: Pledgewire's registry, each update judged, durable, audited, and published.

Then updates come at a steady rate, and it is seen how long each is under way from its row to its topic.
"""
