"""The open flags over HTTP: pages and filters."""

from datetime import date

from tests.registry.scenes import COAL, Register, check_on, flags


async def test_the_list_has_pages_and_filters(register: Register) -> None:
    await check_on(register, date(2023, 6, 1), months=12)
    everything = await flags(register)
    seen: list[tuple[str, str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await register.get("/consistency", limit=7, **cursor)
        seen += [(one["rule"], one["commitment_id"], one["since"]) for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == everything
    assert {rule for rule, _, _ in await flags(register, rule="no-news")} == {"no-news"}
    assert {commitment for _, commitment, _ in await flags(register, commitment=COAL)} == {COAL}
    for path, status in (
        ("?cursor=forged", 400),
        ("?cursor=Im5vd2hlcmUi", 400),
        ("?cursor=MA", 400),
        ("?rule=gossip", 422),
    ):
        assert (await register.client.get(f"/consistency{path}")).status_code == status
