"""Secrets at rest: sealed texts say nothing, open where they were sealed alone, and outlive an exchanged key."""

import base64
import stat
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.plumbing.secrets_at_rest import (
    IN_THE_CLEAR,
    SEALED,
    SealedPlace,
    Secrets,
    SecretsSettings,
    SecretUnreadable,
    key_id_of,
    new_key,
    put_new_key_in_front,
    read_keys,
)
from services.plumbing.settings_faults import faults_of_settings

OLD, NEW = new_key(), new_key()
HOOK = "https://hooks.example.org/services/T0/very-secret-token"
HERE = SealedPlace("subscription", "address", UUID(int=1))
PLACES = st.builds(SealedPlace, st.sampled_from(["a", "b"]), st.sampled_from(["address", "secret"]), st.uuids())


def with_keys(*lines: str) -> Secrets:
    return Secrets(read_keys("\n".join(lines)))


@given(st.text(min_size=1, max_size=300), PLACES, PLACES)
def test_a_sealed_text_opens_where_it_was_sealed_and_nowhere_else(
    text: str, where: SealedPlace, elsewhere: SealedPlace
):
    secrets = with_keys(OLD)
    sealed = secrets.seal(text, where)
    assert secrets.open(sealed, where) == with_keys(OLD).open(sealed, where) == text
    assert sealed != secrets.seal(text, where)  # equal texts aren't equal in a table
    if elsewhere != where:
        with pytest.raises(SecretUnreadable):
            secrets.open(sealed, elsewhere)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_spoiled_text_is_not_opened(at: int, flipped: int):
    secrets, where = with_keys(OLD), HERE
    head, _, tail = secrets.seal(HOOK, where).rpartition(":")
    sealed = bytearray(base64.urlsafe_b64decode(tail))
    sealed[at % len(sealed)] ^= flipped
    with pytest.raises(SecretUnreadable) as refused:
        secrets.open(f"{head}:{base64.urlsafe_b64encode(sealed).decode()}", where)
    assert "secret-token" not in str(refused.value)


def test_the_first_key_seals_and_all_of_them_open():
    where = HERE
    before, both, after = with_keys(OLD), with_keys(NEW, OLD), with_keys(NEW)
    sealed = before.seal(HOOK, where)
    assert both.open(sealed, where) == HOOK
    assert (before.is_current(sealed), both.is_current(sealed)) == (True, False)
    again = both.seal(both.open(sealed, where), where)
    assert after.open(again, where) == HOOK
    assert after.is_current(again)
    with pytest.raises(SecretUnreadable, match="not known"):
        after.open(sealed, where)


def test_without_a_key_texts_stand_in_the_clear_and_with_one_they_are_still_read():
    where = HERE
    assert IN_THE_CLEAR.seal(HOOK, where) == IN_THE_CLEAR.open(HOOK, where) == HOOK
    assert with_keys(OLD).open(HOOK, where) == HOOK
    assert not with_keys(OLD).is_current(HOOK)
    opening = with_keys(OLD)
    opening.seals = False
    assert opening.seal(HOOK, where) == HOOK
    assert opening.is_current(HOOK)


def test_nothing_is_deciphered_twice():
    secrets, where = with_keys(OLD), HERE
    sealed = secrets.seal(HOOK, where)
    assert secrets.open(sealed, where) is secrets.open(sealed, where)


def test_a_key_that_comes_into_the_file_is_found_by_who_meets_a_text_of_it(tmp_path: Path):
    file, where = tmp_path / "keys", HERE
    first = put_new_key_in_front(file)
    settings = SecretsSettings(key_file=file)
    secrets = Secrets.from_settings(settings)
    second = put_new_key_in_front(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets.key_ids == (first,)
    sealed = Secrets(settings.read()).seal(HOOK, where)
    assert key_id_of(sealed) == second
    assert secrets.open(sealed, where) == HOOK
    assert secrets.key_ids == (second, first)


def test_keys_come_from_a_variable_a_file_or_a_command(tmp_path: Path):
    (tmp_path / "keys").write_text(f"# ours\n{NEW}\n\n{OLD}\n")
    ids = [key.id for key in read_keys(f"{NEW},{OLD}")]
    for settings in (
        SecretsSettings(key=SecretStr(f"{NEW},{OLD}")),
        SecretsSettings(key_file=tmp_path / "keys"),
        SecretsSettings(key_command=f"cat '{tmp_path / 'keys'}'"),
    ):
        assert [key.id for key in settings.keys] == ids
    assert SecretsSettings().keys == ()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"key": "pwsk_tooshort"}, "SECRETS_KEY: key 1 is none"),
        ({"key": f"{OLD},{OLD[:-3]}"}, "SECRETS_KEY: key 2 is none"),
        ({"key": "# a remark"}, "there is no key in it"),
        ({"key_file": "/nowhere/at/all"}, "SECRETS_KEY_FILE: No such file"),
        ({"key_command": "false"}, "SECRETS_KEY_COMMAND: the command did not end well"),
        ({"key_command": "no-such-program --key"}, "SECRETS_KEY_COMMAND: No such file"),
        ({"key": OLD, "key_command": "true"}, "set one of them"),
    ],
)
def test_settings_that_give_no_key_say_so_and_quote_nothing(settings: dict[str, str], told: str):
    with pytest.raises(ValidationError) as refused:
        SecretsSettings.model_validate(settings)
    said = faults_of_settings(refused.value) or ""
    assert told in said
    assert "pwsk_t" not in said
    assert OLD[:12] not in said


def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "notes").write_text("buy milk\n")
    with pytest.raises(ValueError, match="key 1 is none"):
        put_new_key_in_front(tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "buy milk\n"


def test_a_key_is_nowhere_in_what_is_printed_of_it():
    keys = read_keys(OLD)
    assert OLD.removeprefix("pwsk_") not in repr(keys)
    assert SEALED not in repr(keys)
