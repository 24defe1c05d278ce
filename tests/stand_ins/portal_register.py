"""A register that holds catalogues, as they stood on a day: later news is not known yet."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.commitments import Milestone
from contracts.events import Reporter, StatementRef
from contracts.topics import ingest_topic
from contracts.vocabulary import PartyCode, Span, Status, Text
from services.registry.catalogue.contents import Catalogue, Commitment
from services.registry.catalogue.loading import NALS_2021, load
from services.registry.rules import status as standing_rules
from services.registry.rules.due_states import due_state
from services.registry.rules.paragraphs import paragraph_starts, passage
from services.registry.rules.schedule_change import change_of
from services.registry.views.commitments import (
    CommitmentEntry,
    CommitmentRecord,
    PartyStatusEntry,
    QuotePassage,
)
from services.registry.views.due_milestones import DueMilestone
from services.registry.views.milestones import MilestoneEntry, MilestoneRecord, ScheduleEntry
from services.registry.views.ministries import MinistryRecord
from services.registry.views.statements import StatementEntry
from services.registry.views.status_updates import StatusUpdateEntry
from services.registry.wordings import read
from services.registry.wordings.policy import DEFAULT

_NAMESPACE = UUID("5f0c2b0a-6c7e-4c0a-8b1e-0c1d2e3f4a5b")
_CANADIAN = Reporter(
    client="chronicle",
    ministry="ca-gac",
    ministry_name=Text(en="Global Affairs Canada", fr="Affaires mondiales Canada"),
)


def noon(day: date) -> datetime:
    """Noon of a day, UTC."""
    return datetime.combine(day, time(12), UTC)


class StandInRegister:
    """The catalogue that comes along, and others beside it, on a day, in the words of the registry's interface."""

    def __init__(self, today: date) -> None:
        self.catalogue: Catalogue = load()
        self.today = today
        self.catalogues: list[Catalogue] = []
        self.records: dict[str, CommitmentRecord] = {}
        self.hold(self.catalogue, (NALS_2021 / "joint-statement-2021-11-18.txt").read_text(encoding="utf-8"))

    def hold(self, catalogue: Catalogue, published: str) -> None:
        """Let there be this statement, whose document has these lines."""
        self.catalogues.append(catalogue)
        starts = paragraph_starts(published)
        self.records |= {one.id: self._record(catalogue, one, starts) for one in catalogue.commitments}

    def statements(self) -> tuple[StatementEntry, ...]:
        """The documents."""
        return tuple(self._statement(catalogue) for catalogue in self.catalogues)

    def _statement(self, catalogue: Catalogue) -> StatementEntry:
        told = catalogue.statement
        return StatementEntry(
            **{name: getattr(told, name) for name in StatementEntry.model_fields if hasattr(told, name)},
            sections=catalogue.sections,
            themes=catalogue.themes,
            commitments=len(catalogue.commitments),
            reading_policy=DEFAULT,
        )

    def chosen(self, asked: dict[str, str]) -> list[CommitmentEntry]:
        """Entries that meet the registry's filters."""
        due = {one.commitment_id for one in self.due() if one.state == asked.get("due")}
        entries = [self._entry(record) for record in self.records.values() if _meets(record, asked)]
        if "due" in asked:
            entries = [entry for entry in entries if entry.id in due]
        if "changed_within" in asked:
            since = noon(self.today) - timedelta(days=int(asked["changed_within"]))
            entries = [entry for entry in entries if entry.changed_at and entry.changed_at >= since]
        return entries

    def _entry(self, record: CommitmentRecord) -> CommitmentEntry:
        beyond = ("milestones", "changed_at")
        shared = {name: getattr(record, name) for name in CommitmentEntry.model_fields if name not in beyond}
        milestones = [
            MilestoneEntry(**{n: getattr(m, n) for n in MilestoneEntry.model_fields}) for m in record.milestones
        ]
        return CommitmentEntry(**shared, milestones=tuple(milestones), changed_at=_changed_at(record))

    def due(self) -> list[DueMilestone]:
        """What is overdue, asked about or due soon, by the registry's own rule."""
        found = []
        for record in self.records.values():
            stood = {one.party: one.status for one in record.party_statuses}
            for milestone in record.milestones:
                facts = {n: getattr(milestone, n) for n in Milestone.model_fields if hasattr(milestone, n)}
                due = due_state(Milestone(**facts), stood, noon(self.today))
                if due and milestone.span.latest:
                    found.append(
                        DueMilestone(
                            milestone_id=milestone.id,
                            commitment_id=record.id,
                            parties=milestone.parties,
                            latest=milestone.span.latest,
                            state=due.state,
                            since=due.since,
                        )
                    )
        return sorted(found, key=lambda one: (one.latest, one.milestone_id))

    def ministries(self) -> tuple[MinistryRecord, ...]:
        """The ministries of all catalogues."""
        told = (one for catalogue in self.catalogues for one in catalogue.ministries)
        return tuple(
            MinistryRecord(
                code=one.code,
                party=one.party,
                name=one.name,
                contact=one.contact,
                reports_on=ingest_topic(one.code).name,
                created_at=noon(self.today),
                changed_at=noon(self.today),
            )
            for one in told
        )

    def _record(self, catalogue: Catalogue, commitment: Commitment, starts: Sequence[int]) -> CommitmentRecord:
        told = catalogue.statement
        text, start, end = passage(told.text, starts, commitment.quote.start, commitment.quote.end)
        standing = dict.fromkeys(commitment.parties, Status.ANNOUNCED)
        updates = tuple(self._updates(catalogue, commitment, standing))
        brief = catalogue.brief(commitment)
        return CommitmentRecord(
            **{name: getattr(brief, name) for name in type(brief).model_fields},
            statement=StatementRef(**{name: getattr(told, name) for name in StatementRef.model_fields}),
            quote=commitment.quote,
            passage=QuotePassage(text=text, start=start, end=end),
            verb=commitment.verb,
            summary=commitment.summary,
            strength=commitment.strength,
            lead_ministries=commitment.lead_ministries,
            status=standing_rules.overall(standing.values()),
            party_statuses=tuple(PartyStatusEntry(party=c, status=s) for c, s in standing.items()),
            version=1 + len(updates),
            milestones=tuple(self._milestones(catalogue, commitment)),
            status_updates=updates,
            assessments=(),
        )

    def _updates(
        self, catalogue: Catalogue, commitment: Commitment, standing: dict[PartyCode, Status]
    ) -> Iterable[StatusUpdateEntry]:
        version = 1
        for news in catalogue.chronicle:
            if news.commitment_id != commitment.id or news.known_on > self.today:
                continue
            for report in news.reports:
                version += 1
                previous, standing[report.party] = standing[report.party], report.status
                yield StatusUpdateEntry(
                    event_id=uuid5(_NAMESPACE, f"{commitment.id}{version}"),
                    version=version,
                    party=report.party,
                    previous=previous,
                    status=report.status,
                    current=True,
                    overall=standing_rules.overall(standing.values()),
                    note=report.note,
                    evidence=None,
                    reported_by=_CANADIAN if report.party == "CA" else Reporter(client="chronicle"),
                    report_id=None,
                    occurred_at=noon(news.known_on),
                    reported_at=noon(news.known_on),
                    recorded_at=noon(news.known_on),
                )

    def _milestones(self, catalogue: Catalogue, commitment: Commitment) -> Iterable[MilestoneRecord]:
        made_on = catalogue.statement.made_on
        for milestone in commitment.milestones:
            schedules = [_schedule(1, milestone.span, "first", None, made_on)]
            for news in catalogue.chronicle:
                if news.anchor_id is None or news.anchor_id != milestone.anchor_id or news.span is None:
                    continue
                change = change_of(schedules[-1].span, news.span)
                if news.known_on <= self.today and change in ("moved", "more-precise"):
                    schedules.append(_schedule(len(schedules) + 1, news.span, change, news.source, news.known_on))
            shared = {name: getattr(milestone, name) for name in type(milestone).model_fields if name != "span"}
            yield MilestoneRecord(
                **shared,
                commitment_id=commitment.id,
                span=schedules[-1].span,
                schedule_version=len(schedules),
                schedules=tuple(schedules),
                read_as=read(milestone.wording, milestone.wording_language, made_on),
            )


def _schedule(version: int, span: Span, change: Any, source: Any, known_on: date) -> ScheduleEntry:
    return ScheduleEntry(
        version=version, span=span, change=change, source=source, known_on=known_on, recorded_at=noon(known_on)
    )


def _changed_at(record: CommitmentRecord) -> datetime | None:
    """When another status or date was recorded last."""
    dates = [one.recorded_at for milestone in record.milestones for one in milestone.schedules if one.version > 1]
    return max([*dates, *(one.recorded_at for one in record.status_updates)], default=None)


def _meets(record: CommitmentRecord, asked: dict[str, str]) -> bool:
    latest = [milestone.span.latest for milestone in record.milestones if milestone.span.latest]
    words = (*record.title.root.values(), *record.summary.root.values(), record.quote.text)
    return (
        any(asked.get("q", "").lower() in text.lower() for text in words)
        and asked.get("party", record.parties[0]) in record.parties
        and asked.get("theme", record.themes[0]) in record.themes
        and asked.get("section", record.section) == record.section
        and asked.get("status", record.status) == record.status
        and ("due_from" not in asked or any(day >= date.fromisoformat(asked["due_from"]) for day in latest))
        and ("due_to" not in asked or any(day <= date.fromisoformat(asked["due_to"]) for day in latest))
    )
