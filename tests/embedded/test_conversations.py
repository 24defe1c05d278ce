"""The inbox groups what has come as mail programs would, by `References` and by subject, and chats by channel."""

import re

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.inbox.conversations import GROUPINGS, bare_subject, conversations
from deploy.embedded.inbox.kept import Box, MessageFilter
from deploy.embedded.inbox.receiver import Inbox
from tests.embedded.test_inbox import Elements, letter, post_mail


async def conversed(inbox: Inbox) -> None:
    """Two threads of mail whose subjects cross, and two channels."""
    root = "<commitment.coal@x.example>"
    for number, (subject, references) in enumerate(
        [("In 30 days: coal", root), ("Other news", ""), ("Re: In 30 days: coal", ""), ("Overdue: coal", root)], 1
    ):
        headers = {"Message_ID": f"<d-{number}@x.example>", "Subject": subject}
        await post_mail(inbox, letter(**headers, **({"References": references} if references else {})))
    for channel in ("climate", "trade", "climate"):
        inbox.box.add("slack", channel, 1.0, b"{}", (), title=f"to {channel}", delivery_id=None, commitment_id=None)


async def conversations_of(web: httpx2.AsyncClient, **asked: str) -> list[list[int]]:
    """The numbers of the messages of each conversation that the list has, the newest first."""
    page = (await web.get("/dev/inbox/list", params=asked)).text
    items = re.split(r"<details|</details>", page)
    found: list[list[int]] = []
    for at, item in enumerate(items):
        numbers = [int(n) for n in re.findall(r'data-n="(\d+)"', item)]
        found += [numbers] if at % 2 else [[n] for n in numbers]
    return found


async def test_messages_stand_in_conversations_as_mail_programs_group_them(
    inbox: Inbox, web: httpx2.AsyncClient
) -> None:
    await conversed(inbox)

    assert await conversations_of(web) == [[7], [6], [5], [4], [3], [2], [1]]
    assert await conversations_of(web, by="references") == [[7, 5], [6], [4, 1], [3], [2]]
    assert await conversations_of(web, by="subject") == [[7, 5], [6], [4], [3, 1], [2]]
    assert await conversations_of(web, by="subject", kind="email") == [[4], [3, 1], [2]]
    assert await conversations_of(web, by="references", before="6") == [[4, 1], [3], [2]]
    page = (await web.get("/dev/inbox", params={"by": "references", "n": "1"})).text
    assert re.search(r'<details class="conversation" data-c="1" open>', page)
    Elements(page).assert_harmless()


async def test_an_answer_finds_its_thread_by_any_of_the_headers(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    await post_mail(inbox, letter(Message_ID="<first@x.example>", Subject="One"))
    await post_mail(inbox, letter(Message_ID="<b@x.example>", In_Reply_To="<first@x.example>", Subject="Two"))
    await post_mail(
        inbox, letter(Message_ID="<c@x.example>", References="<first@x.example> <b@x.example>", Subject="Three")
    )
    await post_mail(inbox, letter(To="elise@gac.example", References="<first@x.example>", Subject="To another"))

    assert await conversations_of(web, by="references") == [[4], [3, 2, 1]]


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: In 30 days:  coal", "in 30 days: coal"),
        ("RV: Re: Vence", "vence"),
        ("TR : Échéance", "échéance"),
        ("Fwd: Re[2]: News", "news"),
        ("In 30 days: coal", "in 30 days: coal"),
        ("Re:", "re:"),
    ],
)
def test_a_subject_is_compared_without_what_programs_put_before_it(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "Re: x", "y"]), st.sampled_from(["t", None]))))
def test_every_message_stands_in_one_conversation(told: list[tuple[str, str, str | None]]) -> None:
    box = Box()
    for name, subject, thread in told:
        box.add("email", name, 1.0, b"", (), title=subject, delivery_id=None, commitment_id=None, thread=thread)
    for by in GROUPINGS:
        found = conversations(box.before(None, MessageFilter()), by)
        numbers = [message.number for one in found for message in one.messages]

        assert sorted(numbers) == list(range(1, len(told) + 1))
        assert [one.newest.number for one in found] == sorted((one.newest.number for one in found), reverse=True)
        assert all(len({message.name for message in one.messages}) == 1 for one in found)
