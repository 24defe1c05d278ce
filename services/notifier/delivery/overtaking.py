"""What has overtaken what, in SQL: newer news of the same that a reader is to get, and older that they were not told.

Of the same are events of one topic about one commitment with the same collapse key, such as the status of one party
or the date of one milestone; the newer is the one with the higher `seq`.
"""

from typing import get_args

from services.notifier.timing.first_allowed import PutOffRule

_PUT_OFF = ", ".join(f"'{rule}'" for rule in get_args(PutOffRule))
_THE_SAME = "{0}.commitment_id = e.commitment_id and {0}.topic = e.topic and {0}.collapse_key = e.collapse_key"


def _newer(state: str) -> str:
    """Whether there is newer news of the same for the reader whose delivery is in this state, in SQL."""
    return f"""(
    select true from event newer join delivery n on n.event_id = newer.id and n.subscription_id = c.subscription_id
    where {_THE_SAME.format("newer")} and newer.seq > e.seq and {state} limit 1
) is not null"""


TELLING = f"""
e.topic || ' ' || e.collapse_key as collapse_key,
{_newer("n.state in ('pending', 'sending')")} as is_overtaken,
case when c.rule in ({_PUT_OFF}) then {_newer("n.state = 'delivered'")} else false end as newer_was_told,
(
    select array_agg(u.event_id order by u.position)
    from delivery u join event untold on untold.id = u.event_id
    where u.thread = c.thread and u.position < c.position and u.reason = 'overtaken' and {_THE_SAME.format("untold")}
          and not exists (
              select from delivery t join event told on told.id = t.event_id
              where t.subscription_id = c.subscription_id and t.position > u.position and t.position < c.position
                    and t.state = 'delivered' and {_THE_SAME.format("told")}
          )
) as before
"""
"""Of a claimed delivery `c` and its event `e`: what it tells of, whether newer news of the same waits for the reader,
whether newer news was told already (asked of what was put off alone, since nothing else lets newer pass), and the
events before it that were not told since then, the oldest first."""
