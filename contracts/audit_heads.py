"""Makes records of the heads of audit logs."""

from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope, Record, to_record
from contracts.events import AuditHead
from contracts.topics import audit_head_topic


def audit_head_record(service: str, event_id: UUID, seq: int, position: int, hash_: bytes, now: datetime) -> Record:
    """The record of a head of a service's audit log, with `seq` as its number."""
    head = AuditHead(seq=seq, service=service, position=position, hash=hash_.hex())
    return to_record(head, Envelope(id=event_id, time=now, subject=service), audit_head_topic(service))
