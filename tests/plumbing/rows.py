"""Rows for every table of every schema, as the newest revision has them: those that an older one knows not, too."""

from typing import get_args

from contracts.vocabulary import Channel
from services.i18n.languages import LANGUAGES
from services.notifier.delivery.identity import THREAD_BYTES

_OUTBOX = """
insert into outbox (event_id, topic, key, headers, value, created_at)
values ('00000000-0000-7000-8000-00000000000a', 'status-changed', 'coal', '{"seq": "1"}', '{}', '2022-01-01');
insert into outbox_seq values ('status-changed', 'coal', 1);
insert into topic_position values ('status-changed', 0, 1);
insert into consumed_position values ('us', 'status-changed', 0, 1);
insert into pruned (name, kind, rows, checksum) values ('outbox', 'status-changed', 1, 1);
insert into recovery (taken_over, remarks, held) values ('{"status-changed": 1}', '{a}', 1);
"""
_INBOX = "insert into inbox values ('us', '00000000-0000-7000-8000-00000000000b', '2022-01-01');"

REGISTRY = """
insert into statement (id, title, made_on, sha256, parties, published, text, paragraphs, sections, themes,
                       imported_at, language, reading_policy)
values ('nals', '{"en": "Statement"}', '2021-11-18', 'f00d', '{US,MX,CA}', 'Words', 'Words', '{0}', '[]', '[]',
        '2021-11-18', 'fr', '{"late": "third"}');
insert into statement_copy values ('nals', 'https://example.org/', 'f00d', '2021-11-19', 'tracker');
insert into anchor (id, title, zone, precision, source, known_on, local_time, outcome, successor_id)
values ('nals-2023', '{"en": "NALS 2023"}', 'America/Mexico_City', 'none', '{}', '2021-11-18', '10:00', 'held', null),
       ('nals-2022', '{"en": "NALS 2022"}', 'America/Mexico_City', 'none', '{}', '2021-11-18', null, 'cancelled',
        'nals-2023');
insert into anchor_news (anchor_id, precision, change, source, known_on, recorded_at, recorded_by)
select 'nals-2022', 'year', change, '{}', '2021-11-18', '2021-11-18', 'tracker'
from unnest(array['first', 'moved', 'more-precise', 'unchanged', 'cancelled', 'held', 'succeeded']) as change;
insert into commitment (id, statement_id, quote, quote_start, quote_end, verb, title, summary, section, parties,
                        themes, strength, lead_ministries, status, created_at)
values ('coal', 'nals', 'Words', 0, 5, 'will', '{"en": "Coal"}', '{}', 'climate', '{US,CA}', '{climate}', 'commit',
        '{}', 'in-progress', '2021-11-18');
insert into api_key (key_id, seq, sha256, client, roles, created_at, created_by)
values ('abc', 1, 'f00d', 'desk', '{editor}', '2022-01-01', 'operators');
insert into commitment_state values ('coal', '\xf00d');
insert into commitment_party_status values ('coal', 'CA', 'met');
insert into milestone (id, commitment_id, wording, title, reading, parties, zone, anchor_id, schedule_version,
                       "offset", local_time, review_months, wording_language)
values ('coal-1', 'coal', 'a month after', '{"en": "Coal ends"}', 'by', '{US,CA}', 'America/Toronto', 'nals-2022', 5,
        '{"months": 1}', '09:00', 6, 'es');
insert into milestone_schedule (milestone_id, version, precision, change, recorded_at, event_id)
select 'coal-1', version, 'year', change, '2021-11-18', gen_random_uuid()
from unnest(array['first', 'moved', 'more-precise', 'cancelled', 'held']) with ordinality as changes (change, version);
insert into status_update (event_id, commitment_id, version, party, from_status, to_status, is_current, overall, client,
                           occurred_at, reported_at, recorded_at)
values (gen_random_uuid(), 'coal', 1, 'US', 'announced', 'in-progress', true, 'in-progress', 'tracker', '2021-12-31',
        '2022-01-01', '2022-01-01');
insert into refused_report
values ('ca-gac', gen_random_uuid(), 'not-found', 'not-found', 'There is none', '{}', '', '2022-01-01');
insert into assessment (event_id, commitment_id, number, client, organisation, assessment, assessed_at, recorded_at)
values (gen_random_uuid(), 'coal', 1, 'watch', 'Watch', 'unclear', '2022-01-01', '2022-01-01');
insert into api_request (client, idem_key, body_sha256, status, response) values ('tracker', 'one', 'x', 201, '{}');
insert into ministry values ('ca-gac', 'CA', '{"en": "Global Affairs"}', null, '2021-11-18', 'tracker', '2021-11-18');
insert into consistency_flag (rule, subject, since, anchor_id, flagged_at)
values ('anchor-without-outcome', 'nals-2022', '2023-01-01', 'nals-2022', '2023-01-02');
"""

SCHEDULER = """
insert into commitment_state values ('coal', 'met', 3, '{}');
update tick set business_at = '2021-11-18T18:00:00Z', ticked_at = '2021-11-18T18:00:01Z', zone_data = '2021e';
insert into milestone_plan (milestone_id, commitment_id, schedule_version, commitment, milestone, settled, scheduled_at)
values ('coal-1', 'coal', 1,
        '{"section": "climate", "themes": ["climate"], "parties": ["US"], "organisations": [], "language": "en"}',
        '{"parties": ["US", "CA"], "span": {"latest": "2021-12-31"}}', true, '2021-11-18T18:00:00Z');
insert into reminder (milestone_id, schedule_version, step, due_at, state, fired_at, event_id, reason, audience)
values ('coal-1', 1, 'before-30d', '2021-12-01', 'fired', '2021-12-01', gen_random_uuid(), null, null),
       ('coal-1', 1, 'before-7d', '2021-12-24', 'merged', null, gen_random_uuid(), null, null),
       ('coal-1', 1, 'on-the-day', '2021-12-31', 'failed', null, null, 'untellable', null),
       ('coal-1', 1, 'on-the-day', '2021-12-31', 'pending', null, null, null, '00000000-0000-7000-8000-00000000000c'),
       ('coal-1', 1, 'before-3bd', '2021-12-28', 'pending', null, null, null, null),
       ('coal-1', 1, 'after-1d', '2022-01-01', 'withdrawn', null, null, null, null);
insert into ladder_book values (1, 'ladders: []', 'f00d', '2021-11-18', 'tracker');
insert into chosen_ladder values ('00000000-0000-7000-8000-00000000000c', 1, '{"parties": ["MX"]}', 1);
update planning_rules set book_version = 1, choices_version = 1;
insert into replanning (cause, subscription_id, at) values ('choice', '00000000-0000-7000-8000-00000000000c', now());
insert into zone_change (milestone_id, step, before, after, from_release, to_release, at)
values ('coal-1', 'on-the-day', '2021-12-31', '2022-01-01', '2021e', '2026a', '2022-01-01');
insert into hold (milestone_id, schedule_version) values ('coal-1', 2);
insert into escalation (milestone_id, schedule_version, state, round, since, rank, told, next_at, reckoned_with)
values ('coal-1', 1, 'climbing', 1, '2022-01-01', 1, 1, '2022-01-15', '2021e');
insert into escalation_log (milestone_id, schedule_version, what, at, round, rank, repeat, event_id)
values ('coal-1', 1, 'told', '2022-01-08', 1, 1, 0, gen_random_uuid()),
       ('coal-1', 1, 'asked', '2022-01-01', 1, null, null, null);
insert into feed (id, token_sha256, owner, name, language, zone, alarms, parties, themes, sections, commitments,
                  created_at)
values (gen_random_uuid(), sha256('token'), 'sre', 'Clima', 'es', 'America/Mexico_City', '{7}', '{MX}', '{}', '{}',
        '{}', '2021-11-18');
insert into calendar_entry (milestone_id, commitment_id, parties, themes, section, version, turns, state, commitment,
                            milestone, created_at, changed_at, mark)
select milestone_id, commitment_id, '{US,CA}', '{climate}', 'climate', 1, 0, 'met', commitment, milestone, scheduled_at,
       scheduled_at, nextval('calendar_mark')
from milestone_plan;
insert into feed_event values (gen_random_uuid(), 'status-changed', '2022-01-01', 'coal', '{US,CA}', '{climate}',
                               'climate', '{"party": "US", "commitment": {"parties": ["US", "CA"],
                                                  "organisations": [], "language": "en"}}');
update feed_place set outbox_id = 1;
"""

_SUBSCRIPTIONS = f"""
insert into subscription (id, owner, subscriber, channel, address, secret, language, zone, fingerprint, created_at,
                          ladder, level, timing)
select gen_random_uuid(), 'sre', 'Desk', channel, 'https://example.org/' || channel, 'secret', language,
       'America/Mexico_City', (channel || language)::bytea, '2021-11-18', '{{"rungs": "-1m"}}', 'director',
       '{{"rhythm": "daily"}}'
from unnest(array{list(get_args(Channel))}) as channel, unnest(array{list(map(str, LANGUAGES))}) as language;
"""
NOTIFIER = f"""
insert into event (id, topic, commitment_id, seq, value, time, received_at, matched)
values ('00000000-0000-7000-8000-00000000000d', 'status-changed', 'coal', 1, '{{}}', '2022-01-01', '2022-01-01', 7);
insert into delivery (id, thread, event_id, subscription_id, commitment_id, channel, state, next_at, created_at,
                      group_id, leads, message, rule)
select gen_random_uuid(), uuid8({THREAD_BYTES}), '00000000-0000-7000-8000-00000000000d', subscription_id, commitment_id,
       'slack', state, '2022-01-01', '2022-01-01', gen_random_uuid(), state <> 'pending', gen_random_uuid(), 'window'
from unnest(array['pending', 'sending', 'delivered', 'failed', 'expired', 'suppressed', 'cancelled']) as state,
     lateral (select gen_random_uuid() as subscription_id, 'coal' as commitment_id, state as for_each);
insert into destination_pace (destination, fastest, seconds, good, free_at, really_free_at)
    values (sha256('a'), 1.03, 1.03, 1.03, '2022-01-01', now());
insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome)
values ('00000000-0000-7000-8000-00000000000e', 1, '2022-01-01', '2022-01-01', 'delivered');
insert into digest_run values ('00000000-0000-7000-8000-00000000000c', '2022-01-02', '2022-01-01');
insert into silence (author, reason, parties, begins, ends, created_at)
values ('sre', 'A summit', '{{MX}}', '2022-01-01', '2022-01-08', '2022-01-01');
insert into sending_stop (stopped_by, reason, started_at, started_by, waited)
values ('sre', 'A drill', '2022-01-02', 'sre', 7), ('sre', 'A fault', null, null, null);
insert into trial (began_by, allowed, ended_at, ended_by, held)
values ('sre', '{{ana@example.org}}', '2022-01-02', 'sre', 7), ('sre', '{{@example.org}}', null, null, null);
insert into link_request values (sha256('a'), '2022-01-01', 'waiting', 0, '2022-01-01');
insert into shared_change (subscription_id, before, after, at, next_at)
values ('00000000-0000-7000-8000-00000000000c', '{{"language": "en"}}', '{{"language": "fr"}}', '2022-01-01',
        '2022-01-01');
"""

_SETTLED_BEFORE = """
insert into settled_before values ('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000c',
                                   'delivered', 1, null, '2022-01-01');
"""

_AUDIT = """
insert into audit_pending (at, action, subject, client) values ('2022-01-01', 'status.updated', 'commitment/coal', 'a');
insert into audit_entry (position, at, action, subject, client, previous, hash)
values (1, '2022-01-01', 'status.updated', 'commitment/coal', 'a', sha256('0'), sha256('1'));
insert into audit_refusal (client, what, hour) values ('a', 'PUT /ladders 403', '2022-01-01');
"""

OF_EVERY_TABLE = {
    "registry": REGISTRY + _OUTBOX + _INBOX + _AUDIT,
    "scheduler": SCHEDULER + _OUTBOX + _INBOX + _AUDIT,
    "notifier": _SUBSCRIPTIONS + NOTIFIER + _OUTBOX + _SETTLED_BEFORE + _AUDIT,
}
