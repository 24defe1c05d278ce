"""Anybody may have time words read."""

from typing import Any

import pytest

from tests.registry.scenes import Register


async def test_anybody_may_have_words_read(register: Register) -> None:
    asked = {"wording": "d’ici la fin de 2025", "language": "fr", "made_on": "2021-11-18"}

    answer = await register.client.post("/wordings/read", json=asked)

    assert answer.status_code == 200, answer.text
    read = answer.json()
    assert (read["edtf"], read["latest"], read["modality"], read["rules"]) == (
        "2025", "2025-12-31", "by", ["as-written"],
    )  # fmt: skip


async def test_words_of_a_language_without_a_lexicon_are_left_unsettled(register: Register) -> None:
    asked = {"wording": "até 2030", "language": "pt", "made_on": "2021-11-18"}

    answer = await register.client.post("/wordings/read", json=asked)

    assert answer.status_code == 200, answer.text
    read = answer.json()
    assert (read["edtf"], read["settled"], read["rules"]) == (None, False, ["no-lexicon"])
    assert [one["why"] for one in read["alternatives"]] == ["the time words of this language are not read"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "deutsch"},
        {"made_on": "1637193600"},
        {"policy": {"parts": "halves"}},
        {"wording": ""},
        {"wording": None},
    ],
)
async def test_what_can_t_be_read_is_refused(register: Register, wrong: dict[str, Any]) -> None:
    asked = {"wording": "by 2030", "language": "en", "made_on": "2021-11-18", **wrong}
    assert (await register.client.post("/wordings/read", json=asked)).status_code == 422
