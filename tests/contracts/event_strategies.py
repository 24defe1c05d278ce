"""Hypothesis strategies for every event that the models allow."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

from hypothesis import strategies as st

from contracts import causes, commitment_state, events
from contracts.commitments import CommitmentBrief, Milestone, Offset, Organisation
from contracts.envelope import Envelope
from contracts.text import fit
from contracts.topics import ALL, Topic
from contracts.vocabulary import LARGEST, Assessment, Channel, Precision, Reading, Source, Span, Status, Strength, Text
from services.i18n.languages import LANGUAGES

slugs = st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
# Everything but control characters and surrogates: emoji, right-to-left, line separators.
printable = st.characters(exclude_categories=("Cc", "Cs"))
# What breaks a platform, a header, a line or a table when it is let through: shown as nothing, longest when escaped,
# in no XML, a second header where encoded words are read.
STRANGE = (
    *("\ufeff", " ", "\u200b", "\u3164\u2800", "\uffff", "\ufdd0", "\U0010ffff", "\u202egnp.exe", "\u2028\u2029"),
    *("=?utf-8?q?x=0D=0ABcc:e@x.ex?=", "=?utf-8?b?DQpCY2M6IGVAeC5leA0KDQp4?= =?us-ascii?q?=00?=", ": ;,\\\\n"),
    *(
        "<!channel> @here",
        "{{DATE(1)}} ${x}",
        "</td><script>",
        "]]>&#0;",
        "e" + "\u0301" * 200,
        "👩🏽\u200d❤️\u200d👨🏻🇲🇽" * 20,
    ),
    *("&" * 300, "\\" * 300, "_" * 300, "\U0001f600" * 300, "\u200b" * 300, "@a" * 150, "a" * 300, "1. # - +"),
)
strange = st.sampled_from(STRANGE)
lines = st.text(printable, min_size=1, max_size=300) | strange
paragraphs = st.text(printable, min_size=1, max_size=400) | strange | strange.map(lambda text: (text * 4000)[:4000])
links = st.from_regex(r"https?://[a-z]{1,10}\.example/[a-zA-Z0-9?&=_%.-]{0,20}", fullmatch=True) | st.sampled_from(
    [
        *(f"https://a.example/{c * 1900}" for c in "ñ字\U0001f600&'a"),
        *("https://[", "https://\u200b", "http://a@b.example:x/\uffff\u202e", 'https://"<>\\^`{|}', "https://?"),
    ]
)


def _enters(text: str) -> bool:
    try:
        fit(text, 300)
    except ValueError:
        return False
    return True


entered = (st.text(printable, min_size=1, max_size=300) | strange).filter(_enters).map(lambda text: fit(text, 300))
entered_links = st.from_regex(r"https?://[a-z]{1,10}\.example/[a-zA-Z0-9?&=_%.-]{0,20}ñ?", fullmatch=True)
counts = st.integers(0, LARGEST)
ordinals = st.integers(1, LARGEST)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day inside the calendar's ends, so that every offset has its instant in UTC.
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets | st.just(UTC))  # noqa: DTZ001
statuses = st.sampled_from(Status)
languages = st.sampled_from(list(LANGUAGES))
countries = st.sampled_from(["CA", "MX", "US", "BR", "JP", "DE"])
organisation_codes = st.sampled_from(["org-european-union", "org-african-union", "org-x"])
party_codes = countries | organisation_codes
parties = st.lists(party_codes, min_size=1, unique=True).map(tuple)
ALL_LANGUAGES = (*LANGUAGES, "pt-BR", "zh-Hant", "iu")
texts = st.builds(Text, en=paragraphs, es=paragraphs, fr=paragraphs) | st.builds(
    lambda original, others: Text({**others, "en": original}),
    paragraphs,
    st.dictionaries(st.sampled_from(ALL_LANGUAGES), paragraphs, max_size=3),
)
sources = st.builds(Source, text=lines, url=st.none() | links)
steps = (
    st.just("on-the-day")
    | st.builds(
        "{}-{}{}".format,
        st.sampled_from(["before", "after"]),
        st.integers(1, 3650),
        st.sampled_from(["d", "bd", "w", "m"]),
    )
    | st.builds("review-{}".format, st.integers(1, 3650))
)
wall_times = st.from_regex(r"([01][0-9]|2[0-3]):[0-5][0-9]", fullmatch=True)

undated = st.just(Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED))
dated = st.builds(
    lambda days, precision: Span(edtf=min(days).isoformat(), earliest=min(days), latest=max(days), precision=precision),
    st.tuples(st.dates(), st.dates()),
    st.sampled_from([p for p in Precision if p is not Precision.UNDATED]),
)
open_ended = st.builds(
    lambda day, precision: Span(edtf=f"{day.isoformat()}/..", earliest=day, latest=None, precision=precision),
    st.dates(),
    st.sampled_from([p for p in Precision if p is not Precision.UNDATED]),
)
spans = undated | dated | open_ended


@st.composite
def _briefs(draw: st.DrawFn) -> CommitmentBrief:
    bound = draw(parties)
    language = draw(st.sampled_from(ALL_LANGUAGES))
    title, section_title = (Text({**draw(texts).root, language: draw(paragraphs)}) for _ in range(2))
    return CommitmentBrief(
        id=draw(slugs),
        statement_id=draw(slugs),
        language=language,
        title=title,
        section=draw(slugs),
        section_title=section_title,
        parties=bound,
        organisations=tuple(
            Organisation(code=code, name=draw(texts), zone="Europe/Brussels")
            for code in bound
            if code.startswith("org-")
        ),
        themes=draw(st.lists(slugs, min_size=1, max_size=3).map(tuple)),
    )


briefs = _briefs()
milestones = st.builds(
    Milestone,
    id=slugs,
    wording=lines,
    title=texts,
    span=spans,
    reading=st.sampled_from(Reading),
    parties=parties,
    zone=st.sampled_from(["America/Mexico_City", "America/Toronto", "America/New_York", "America/Argentina/Ushuaia"]),
    anchor_id=st.none() | slugs,
    offset=st.none()
    | st.builds(
        Offset,
        direction=st.sampled_from(["before", "after"]),
        count=st.integers(0, 3660),
        unit=st.sampled_from(["days", "weeks", "months", "years"]),
    ),
    local_time=st.none() | wall_times,
    review_months=st.none() | st.integers(1, 120),
    wording_language=languages,
    held=st.booleans(),
)
cause = st.builds(
    causes.Cause, kind=st.sampled_from(causes.CAUSE_KINDS), id=st.uuids(), count=st.none() | st.integers(1, LARGEST)
)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
evidence = st.builds(events.Evidence, url=links, title=lines, retrieved_on=st.dates(), sha256=st.none() | digests)

statements = st.builds(
    events.StatementRef,
    id=slugs,
    title=texts,
    made_on=st.dates(),
    url=st.none() | links,
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)
quotes = st.builds(events.Quote, text=paragraphs, start=counts, end=ordinals)
created = st.builds(
    events.CommitmentCreated,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    statement=statements,
    quote=quotes,
    summary=texts,
    strength=st.sampled_from(Strength),
    lead_ministries=st.lists(lines, max_size=2).map(tuple),
    status=statuses,
)
scheduled = st.builds(
    events.MilestoneScheduled,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    milestone=milestones,
    schedule_version=ordinals,
    change=st.sampled_from(["first", "moved", "more-precise", "cancelled", "held"]),
    previous=st.none() | spans,
    source=st.none() | sources,
    known_on=st.none() | st.dates(),
)
_due = {
    "seq": ordinals,
    "cause": cause,
    "commitment": briefs,
    "milestone": milestones,
    "schedule_version": ordinals,
    "step": steps,
    "phase": st.sampled_from(["ahead", "today", "overdue", "asked", "review"]),
    "days": counts,
    "due_at": instants,
    "late": st.booleans(),
    "merged_steps": st.lists(steps, max_size=3).map(tuple),
    "not_after": instants,
    "status": statuses,
    "last": st.booleans(),
}
due = st.builds(events.MilestoneDue, **_due)
own_due = st.builds(events.OwnLadderDue, **_due, subscription_id=st.uuids())
escalated = st.builds(
    events.MilestoneEscalated,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    milestone=milestones,
    schedule_version=ordinals,
    level=slugs,
    level_title=texts,
    rank=ordinals,
    round=ordinals,
    repeat=counts,
    days=counts,
    acknowledged=st.none()
    | st.builds(
        events.Acknowledgement,
        name=lines,
        note=st.none() | paragraphs,
        at=instants,
        ministry=st.none() | slugs.filter(lambda code: len(code) <= 48),
    ),
    due_at=instants,
    late=st.booleans(),
    not_after=instants,
    status=statuses,
)
flagged = st.builds(
    events.ConsistencyFlagged,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    rule=st.sampled_from(["past-due-in-progress", "met-with-open-milestones", "no-news", "anchor-without-outcome"]),
    milestone=st.none() | milestones,
    anchor_id=st.none() | slugs,
    since=st.dates(),
    days=counts,
    status=statuses,
    flagged_on=st.dates(),
)
chosen = st.builds(
    events.LadderChosen,
    seq=ordinals,
    subscription_id=st.uuids(),
    active=st.booleans(),
    rungs=st.lists(st.builds(events.LadderRung, step=steps, at=wall_times), max_size=3).map(tuple),
    zone=st.sampled_from(["America/Mexico_City", "America/North_Dakota/New_Salem", "America/Port-au-Prince", "UTC"]),
    holidays=st.none()
    | st.builds(events.LadderHolidays, country=countries, subdivision=st.none() | st.sampled_from(["QC", "NY"])),
    parties=parties | st.just(()),
    themes=st.lists(slugs, max_size=2).map(tuple),
    sections=st.lists(slugs, max_size=2).map(tuple),
    commitments=st.lists(slugs, max_size=2).map(tuple),
)
changed = st.builds(
    events.StatusChanged,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    party=party_codes,
    previous=statuses,
    status=statuses,
    current=st.booleans(),
    overall=statuses,
    note=st.none() | paragraphs,
    evidence=st.none() | evidence,
    reported_by=st.builds(events.Reporter, client=slugs, ministry=st.none() | slugs, ministry_name=st.none() | texts),
    report_id=st.none() | st.uuids(),
    occurred_at=instants,
    reported_at=instants,
    recorded_at=instants,
    version=ordinals,
)
assessed = st.builds(
    events.CommitmentAssessed,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    assessor=slugs,
    organisation=lines,
    party=st.none() | party_codes,
    previous=st.none() | st.sampled_from(Assessment),
    assessment=st.sampled_from(Assessment),
    note=st.none() | paragraphs,
    evidence=st.none() | evidence,
    assessed_at=instants,
    recorded_at=instants,
)
settled = st.builds(
    events.DeliverySettled,
    seq=ordinals,
    cause=cause,
    commitment=briefs,
    event_id=st.uuids(),
    event=slugs,
    deliveries=st.lists(
        st.builds(
            events.SettledDelivery,
            delivery_id=st.uuids(),
            subscription_id=st.uuids(),
            subscriber=lines,
            channel=st.sampled_from(get_args(Channel)),
            language=languages,
            outcome=st.sampled_from(["delivered", "failed", "expired", "suppressed", "cancelled"]),
            attempts=counts,
            reason=st.none() | lines,
            settled_at=instants,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)
reported = st.builds(
    events.StatusReported,
    report_id=st.uuids(),
    commitment_id=slugs,
    party=st.none() | party_codes,
    status=statuses,
    note=st.none() | entered,
    evidence=st.none()
    | st.builds(
        events.EnteredEvidence,
        url=entered_links,
        title=entered,
        retrieved_on=st.dates(),
        sha256=st.none() | digests,
    ),
    expected_version=st.none() | ordinals,
    occurred_at=st.none() | instants,
    reported_at=instants,
)
rejected = st.builds(
    events.StatusRejected,
    ministry=slugs.filter(lambda code: len(code) <= 48),
    report_id=st.none() | st.uuids(),
    commitment_id=st.none() | slugs,
    reason=st.sampled_from(get_args(events.RejectionReason)),
    detail=paragraphs,
    pointer=st.none() | st.sampled_from(["#/party", "#/evidence/url"]),
    topic=st.just("status-reported-mx-sre"),
    partition=counts,
    offset=st.integers(0, 2**63 - 1),
    rejected_at=instants,
)
key_changed = st.builds(
    events.ApiKeyChanged,
    seq=ordinals,
    key_id=st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=16, max_size=16),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    client=slugs,
    ministry=st.none() | st.sampled_from(["mx-sre", "ca-gac"]),
    roles=st.lists(slugs, min_size=1, max_size=3).map(tuple),
    created_at=instants,
    expires_at=st.none() | instants,
    revoked_at=st.none() | instants,
)
states = st.builds(
    commitment_state.CommitmentState,
    commitment=briefs,
    statement=statements,
    quote=quotes,
    passage=st.builds(commitment_state.Passage, text=paragraphs, start=counts, end=ordinals),
    verb=lines,
    summary=texts,
    strength=st.sampled_from(Strength),
    lead_ministries=st.lists(lines, max_size=2).map(tuple),
    status=statuses,
    party_statuses=st.lists(
        st.builds(commitment_state.PartyStatus, party=party_codes, status=statuses), max_size=3
    ).map(tuple),
    version=ordinals,
    milestones=st.lists(
        st.builds(
            commitment_state.PresentMilestone,
            milestone=milestones,
            schedule_version=ordinals,
            change=st.sampled_from(["first", "moved", "more-precise", "cancelled", "held"]),
            source=st.none() | sources,
            known_on=st.none() | st.dates(),
            recorded_at=instants,
        ),
        max_size=2,
    ).map(tuple),
    anchors=st.lists(
        st.builds(
            commitment_state.PresentAnchor,
            id=slugs,
            title=texts,
            zone=st.just("America/Mexico_City"),
            span=spans,
            local_time=st.none() | wall_times,
            source=sources,
            known_on=st.dates(),
            outcome=st.sampled_from(["held", "cancelled", None]),
            successor_id=st.none() | slugs,
        ),
        max_size=1,
    ).map(tuple),
    assessments=st.lists(
        st.builds(
            commitment_state.PresentAssessment,
            event_id=st.uuids(),
            assessor=slugs,
            organisation=lines,
            party=st.none() | party_codes,
            previous=st.none() | st.sampled_from(Assessment),
            assessment=st.sampled_from(Assessment),
            note=st.none() | paragraphs,
            evidence=st.none(),
            assessed_at=instants,
            recorded_at=instants,
        ),
        max_size=1,
    ).map(tuple),
    includes=st.lists(st.builds(commitment_state.IncludedEvents, topic=slugs, through=counts), max_size=3).map(tuple),
    seq=ordinals,
)
head = st.builds(
    events.AuditHead,
    seq=ordinals,
    service=slugs,
    position=ordinals,
    hash=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)
BY_EVENT = {
    commitment_state.CommitmentState: states,
    events.AuditHead: head,
    events.ApiKeyChanged: key_changed,
    events.CommitmentCreated: created,
    events.MilestoneScheduled: scheduled,
    events.MilestoneDue: due,
    events.OwnLadderDue: own_due,
    events.MilestoneEscalated: escalated,
    events.ConsistencyFlagged: flagged,
    events.LadderChosen: chosen,
    events.StatusChanged: changed,
    events.DeliverySettled: settled,
    events.CommitmentAssessed: assessed,
    events.StatusReported: reported,
    events.StatusRejected: rejected,
}


def _with_event(topic: Topic) -> st.SearchStrategy:
    return st.tuples(st.just(topic), BY_EVENT[topic.event])


topics_with_events = st.sampled_from(ALL).flatmap(_with_event)
envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    time=instants,
    subject=slugs,
    correlation_id=st.none() | st.text(printable, min_size=1, max_size=80).filter(str.isprintable),
    traceparent=st.none() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", fullmatch=True),
)
