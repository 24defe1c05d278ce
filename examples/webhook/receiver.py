"""Receives Pledgewire's webhooks: checks the signature (Standard Webhooks), knows repeats, prints a line for each.

Put a proxy with TLS in front. What is sent, and what each answer means: docs/for-engineers.md.
"""

import os
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

# The `secret` of your subscription; while you change it both, separated by a comma.
WEBHOOKS = [Webhook(secret) for secret in os.environ["WEBHOOK_SECRETS"].split(",")]
LANGUAGE = os.environ.get("READER_LANGUAGE", "en")
LARGEST = 1_048_576  # bytes

seen = sqlite3.connect(os.environ.get("SEEN_FILE", "seen.sqlite"))
seen.execute("create table if not exists received (webhook_id primary key)")


def verified(body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
    for webhook in WEBHOOKS:
        try:
            return webhook.verify(body, headers)  # refuses what is older than five minutes, too
        except WebhookVerificationError:
            continue
    return None


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a request to come in

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            return self.answer(413)
        event = verified(self.rfile.read(int(length)), {name.lower(): text for name, text in self.headers.items()})
        if event is None:
            return self.answer(401)
        with seen:  # your work goes here, or into a queue of yours: answer within seconds
            if seen.execute("insert or ignore into received values (?)", (self.headers["webhook-id"],)).rowcount:
                commitment, data = event["data"]["commitment"], event["data"]
                title = commitment["title"].get(LANGUAGE) or commitment["title"][commitment["language"]]
                print(event["type"], commitment["id"], f"#{data['seq']}", title, data.get("status", ""), flush=True)
        return self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """A line for an event is enough."""


HTTPServer(("127.0.0.1", int(os.environ.get("HTTP_PORT", "8080"))), Receiver).serve_forever()
