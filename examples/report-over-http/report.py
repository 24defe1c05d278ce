"""Reports a status over HTTP, once, however often it has to ask: python report.py COMMITMENT STATUS [NOTE]

What may be reported, and what is answered: contracts/openapi/registry.json.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from uuid import uuid4

commitment, status, *note = sys.argv[1:]
# Yours to make up, a new one for each report. To send a report again whose answer you never saw, give its key again.
key = os.environ.get("IDEMPOTENCY_KEY") or str(uuid4())
report = {"status": status, "note": note[0] if note else None, "party": os.environ.get("PARTY")}
if url := os.environ.get("EVIDENCE_URL"):  # what shows it: some changes need it, such as to `met`
    title, today = os.environ.get("EVIDENCE_TITLE", url), datetime.now(UTC).date().isoformat()
    report["evidence"] = {"url": url, "title": title, "retrieved_on": today}
request = urllib.request.Request(
    f"{os.environ['REGISTRY_URL']}/commitments/{commitment}/status-updates",
    data=json.dumps({name: value for name, value in report.items() if value}).encode(),
    headers={
        "Authorization": f"Bearer {os.environ['PLEDGEWIRE_KEY']}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    },
)
print("Idempotency-Key:", key, flush=True)
for attempt in range(10):
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            recorded = json.load(answer)["update"]
            print("recorded:", recorded["status"], "as version", recorded["version"])
            sys.exit(0)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        if error.code not in (408, 429, 500, 502, 503, 504):
            # A problem document (RFC 9457). 409: somebody else has reported, or this key was used for another report.
            # 422: the report can't be; 401 and 403: the key can't. Asking again would change nothing.
            print(f"refused ({error.code}):", text)
            sys.exit(1)
        pause = float(error.headers.get("Retry-After") or 2**attempt)
        print(f"not now ({error.code}), again in {pause:g} s", flush=True)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        pause = 2.0**attempt
        print(f"no answer ({error}), again in {pause:g} s", flush=True)
    time.sleep(min(pause, 300))  # then the same request, with the same key: it is recorded once
sys.exit("no answer after ten attempts; give IDEMPOTENCY_KEY to go on")
