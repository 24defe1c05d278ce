"""Hypothesis strategies for every event that the models allow."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

from hypothesis import strategies as st

from contracts import events
from contracts.envelope import Envelope
from contracts.text import fit
from contracts.topics import ALL, Topic
from contracts.vocabulary import (
    LARGEST,
    Channel,
    CommitmentBrief,
    Country,
    Language,
    Milestone,
    Offset,
    Precision,
    Reading,
    Source,
    Span,
    Status,
    Strength,
    Text,
)

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
languages = st.sampled_from(Language)
countries = st.lists(st.sampled_from(Country), min_size=1, unique=True).map(tuple)
texts = st.builds(Text, en=paragraphs, es=paragraphs, fr=paragraphs)
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

briefs = st.builds(
    CommitmentBrief,
    id=slugs,
    statement_id=slugs,
    title=texts,
    section=slugs,
    section_title=texts,
    countries=countries,
    themes=st.lists(slugs, min_size=1, max_size=3).map(tuple),
)
milestones = st.builds(
    Milestone,
    id=slugs,
    wording=lines,
    title=texts,
    span=spans,
    reading=st.sampled_from(Reading),
    countries=countries,
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
evidence = st.builds(events.Evidence, url=links, title=st.none() | lines)

created = st.builds(
    events.CommitmentCreated,
    seq=ordinals,
    commitment=briefs,
    statement=st.builds(
        events.StatementRef,
        id=slugs,
        title=texts,
        made_on=st.dates(),
        url=st.none() | links,
        sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    ),
    quote=st.builds(events.Quote, text=paragraphs, start=counts, end=ordinals),
    summary=texts,
    strength=st.sampled_from(Strength),
    lead_ministries=st.lists(lines, max_size=2).map(tuple),
    status=statuses,
)
scheduled = st.builds(
    events.MilestoneScheduled,
    seq=ordinals,
    commitment=briefs,
    milestone=milestones,
    schedule_version=ordinals,
    change=st.sampled_from(["first", "moved", "more-precise", "cancelled", "held"]),
    previous=st.none() | spans,
    source=st.none() | sources,
)
due = st.builds(
    events.MilestoneDue,
    seq=ordinals,
    commitment=briefs,
    milestone=milestones,
    schedule_version=ordinals,
    step=steps,
    phase=st.sampled_from(["ahead", "today", "overdue", "review"]),
    days=counts,
    due_at=instants,
    late=st.booleans(),
    merged_steps=st.lists(steps, max_size=3).map(tuple),
    not_after=instants,
    status=statuses,
    audience=st.none() | st.uuids(),
)
escalated = st.builds(
    events.MilestoneEscalated,
    seq=ordinals,
    commitment=briefs,
    milestone=milestones,
    schedule_version=ordinals,
    level=slugs,
    level_title=texts,
    rank=ordinals,
    round=ordinals,
    repeat=counts,
    days=counts,
    acknowledged=st.none() | st.builds(events.Acknowledgement, name=lines, note=st.none() | paragraphs, at=instants),
    due_at=instants,
    late=st.booleans(),
    not_after=instants,
    status=statuses,
)
flagged = st.builds(
    events.ConsistencyFlagged,
    seq=ordinals,
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
    | st.builds(
        events.LadderHolidays, country=st.sampled_from(Country), subdivision=st.none() | st.sampled_from(["QC", "NY"])
    ),
    countries=countries | st.just(()),
    themes=st.lists(slugs, max_size=2).map(tuple),
    sections=st.lists(slugs, max_size=2).map(tuple),
    commitments=st.lists(slugs, max_size=2).map(tuple),
)
changed = st.builds(
    events.StatusChanged,
    seq=ordinals,
    commitment=briefs,
    country=st.none() | st.sampled_from(Country),
    previous=statuses,
    status=statuses,
    overall=statuses,
    note=st.none() | paragraphs,
    evidence=st.none() | evidence,
    reported_by=st.builds(events.Reporter, client=slugs, ministry=st.none() | slugs),
    reported_at=instants,
    version=ordinals,
)
settled = st.builds(
    events.DeliverySettled,
    seq=ordinals,
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
    country=st.none() | st.sampled_from(Country),
    status=statuses,
    note=st.none() | entered,
    evidence=st.none() | st.builds(events.EnteredEvidence, url=entered_links, title=st.none() | entered),
    expected_version=st.none() | ordinals,
    reported_at=instants,
)
BY_EVENT = {
    events.CommitmentCreated: created,
    events.MilestoneScheduled: scheduled,
    events.MilestoneDue: due,
    events.MilestoneEscalated: escalated,
    events.ConsistencyFlagged: flagged,
    events.LadderChosen: chosen,
    events.StatusChanged: changed,
    events.DeliverySettled: settled,
    events.StatusReported: reported,
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
