"""Events of about 500 bytes, as the registry would write them."""

from datetime import UTC, datetime

from contracts.commitments import CommitmentBrief
from contracts.envelope import Envelope, Record, to_record
from contracts.events import Reporter, StatusChanged
from contracts.vocabulary import Status, Text
from services.plumbing.ids import new_id
from services.registry.actions.events import UNSAID

SECRET = "whsec_YmVuY2htYXJrLXNlY3JldC1iZW5jaG1hcms="


def event_record(number: int, commitments: int | None = None) -> Record:
    """The record of one status-changed event, about a commitment of its own or about one of so many, in turn."""
    about, seq = (number, 1) if commitments is None else (number % commitments, number // commitments + 1)
    now = datetime.now(UTC)
    title = Text(en="Methane strategy", es="Estrategia de metano", fr="Stratégie sur le méthane")
    section = Text(en="Climate", es="Clima", fr="Climat")
    event = StatusChanged(
        seq=seq,
        cause=UNSAID,
        commitment=CommitmentBrief(
            id=f"bench-{about}",
            statement_id="bench",
            language="en",
            title=title,
            section="climate",
            section_title=section,
            parties=("CA", "MX", "US"),
            themes=("climate",),
        ),
        party="CA",
        previous=Status.ANNOUNCED,
        status=Status.IN_PROGRESS,
        current=True,
        overall=Status.ANNOUNCED,
        note=None,
        evidence=None,
        reported_by=Reporter(client="bench"),
        report_id=None,
        occurred_at=now,
        reported_at=now,
        recorded_at=now,
        version=2,
    )
    return to_record(event, Envelope(new_id(), now, event.commitment.id))
