"""Values open only with their key and in their place."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.db.rows.subject_key import SubjectKeyRow
from app.domain.errors import Invalid
from app.infra.app_vault import get_vault, install_vault
from app.infra.cipher import (
    MASTER_KEY_FILE,
    CipherError,
    MasterKey,
    SubjectKey,
    Vault,
    WrappedKey,
    ensure_subject_keys,
    find_subject_keys,
    load_master_key,
)
from app.infra.settings import Environment, Settings

MASTER = MasterKey(b"m" * 32)
VAULT = Vault(MASTER)
KEY, WRAPPED = VAULT.new_key("C1")
PLACE = ("customers", "name_cipher", "C1")

TEXT = st.text(max_size=12)


def _key(vault: Vault = VAULT, subject_id: str = "C1") -> SubjectKey:
    return vault.new_key(subject_id)[0]


@given(st.binary(max_size=200), TEXT, TEXT, TEXT)
def test_what_was_sealed_opens_in_its_place(
    plaintext: bytes, table: str, column: str, row: str
) -> None:
    sealed = Vault.encrypt(KEY, table, column, row, plaintext)
    assert Vault.decrypt(KEY, table, column, row, sealed) == plaintext


@given(st.tuples(TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT))
def test_it_opens_in_no_other_place(
    place: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    sealed = Vault.encrypt(KEY, *place, b"value")
    if place != other:
        with pytest.raises(CipherError, match="another place"):
            Vault.decrypt(KEY, *other, sealed)


@given(st.integers(0, 41), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    sealed = bytearray(Vault.encrypt(KEY, *PLACE, b"value"))
    sealed[position] ^= change
    with pytest.raises(CipherError):
        Vault.decrypt(KEY, *PLACE, bytes(sealed))


def test_equal_values_are_sealed_differently() -> None:
    assert Vault.encrypt(KEY, *PLACE, b"value") != Vault.encrypt(KEY, *PLACE, b"value")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02" + b"\x00" * 60, b"\x01" * 36])
def test_what_is_no_sealed_value_is_refused(sealed: bytes) -> None:
    with pytest.raises(CipherError, match="known version"):
        Vault.decrypt(KEY, *PLACE, sealed)


def test_an_unknown_key_id_is_refused() -> None:
    sealed = Vault.encrypt(KEY, *PLACE, b"value")
    with pytest.raises(CipherError, match="unknown key"):
        Vault.decrypt(_key(), *PLACE, sealed)


def test_a_data_key_is_unwrapped_for_its_subject_only() -> None:
    assert VAULT.unwrap(WRAPPED).raw_id == KEY.raw_id
    with pytest.raises(CipherError, match="another place"):
        VAULT.unwrap(WrappedKey("C2", WRAPPED.key_id, WRAPPED.wrapped_key))


def test_an_unknown_master_key_is_refused_and_a_previous_one_unwraps() -> None:
    newer = MasterKey(b"n" * 32)
    with pytest.raises(CipherError, match="unknown master key"):
        Vault(newer).unwrap(WRAPPED)
    rotated = Vault(newer, previous=[MASTER])
    assert rotated.unwrap(WRAPPED).raw_id == KEY.raw_id
    assert rotated.new_key("C9")[1].key_id == newer.key_id


def test_keys_do_not_print() -> None:
    assert "AESGCM" not in repr(KEY)
    assert "mmm" not in repr(MASTER)


def test_derived_keys_differ_by_purpose_and_master() -> None:
    derived = {MASTER.derive("a"), MASTER.derive("b"), MasterKey(b"n" * 32).derive("a")}
    assert len(derived) == 3


def test_development_makes_its_master_key_once(settings: Settings) -> None:
    made = load_master_key(settings)
    assert load_master_key(settings).key_id == made.key_id
    assert (settings.data_dir / MASTER_KEY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_configured_master_key_is_taken(settings: Settings, encode: object) -> None:
    key = b"\xfb\xff" * 16
    encoded = encode(key).decode() + "\n"  # type: ignore[operator]
    configured = settings.model_copy(
        update={"master_key": SecretStr(encoded), "environment": Environment.PRODUCTION}
    )
    assert load_master_key(configured).key_id == MasterKey(key).key_id
    assert not settings.data_dir.exists()


@pytest.mark.parametrize("raw", ["", "short", "!" * 44, base64.b64encode(b"x" * 31).decode()])
def test_a_master_key_of_another_size_is_refused_without_telling_it(
    settings: Settings, raw: str
) -> None:
    with pytest.raises(Invalid, match="32 random bytes") as caught:
        load_master_key(settings.model_copy(update={"master_key": SecretStr(raw)}))
    assert not raw or raw not in str(caught.value)


def test_production_makes_up_no_key(settings: Settings) -> None:
    with pytest.raises(Invalid, match="TIERING_MASTER_KEY"):
        load_master_key(settings.model_copy(update={"environment": Environment.PRODUCTION}))
    assert not settings.data_dir.exists()


def test_a_key_file_that_others_may_read_is_refused(settings: Settings) -> None:
    load_master_key(settings)
    (settings.data_dir / MASTER_KEY_FILE).chmod(0o640)
    with pytest.raises(Invalid, match="chmod 600"):
        load_master_key(settings)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Invalid, match=r"master\.key cannot be"):
        load_master_key(Settings(data_dir=tmp_path / "file" / "data"))


@pytest.mark.anyio
async def test_the_vault_is_found_on_the_application(settings: Settings) -> None:
    app = FastAPI()
    install_vault(app, settings)
    request = Request({"type": "http", "app": app, "headers": []})
    assert (await get_vault(request)).master.key_id == load_master_key(settings).key_id


@pytest.mark.anyio
async def test_subjects_get_one_key_each_and_keep_it(session: AsyncSession) -> None:
    made = await ensure_subject_keys(session, VAULT, ["C2", "C1", "C2"])
    again = await ensure_subject_keys(session, VAULT, ["C1", "C2", "C3"])
    assert sorted(made) == ["C1", "C2"]
    assert sorted(again) == ["C1", "C2", "C3"]
    assert again["C1"].raw_id == made["C1"].raw_id
    assert await session.scalar(select(func.count()).select_from(SubjectKeyRow)) == 3


@pytest.mark.anyio
async def test_an_erased_subject_has_no_key(session: AsyncSession) -> None:
    made = await ensure_subject_keys(session, VAULT, ["C1", "C2"])
    sealed = Vault.encrypt(made["C1"], *PLACE, b"value")
    await session.execute(delete(SubjectKeyRow).where(SubjectKeyRow.subject_id == "C1"))
    assert list(await find_subject_keys(session, VAULT, ["C1", "C2"])) == ["C2"]
    renewed = await ensure_subject_keys(session, VAULT, ["C1"])
    with pytest.raises(CipherError, match="unknown key"):
        Vault.decrypt(renewed["C1"], *PLACE, sealed)


@pytest.mark.anyio
async def test_no_subjects_need_no_statement(session: AsyncSession) -> None:
    assert await ensure_subject_keys(session, VAULT, []) == {}


@pytest.mark.anyio
async def test_a_key_that_another_transaction_made_meanwhile_is_taken(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, stored = VAULT.new_key("C1")
    looked: list[int] = []

    async def late(
        found_session: AsyncSession, vault: Vault, subject_ids: list[str]
    ) -> dict[str, SubjectKey]:
        looked.append(len(list(subject_ids)))
        if len(looked) == 1:
            # The other transaction commits between the look and the insert.
            await found_session.execute(
                insert(SubjectKeyRow).values(
                    subject_id=stored.subject_id,
                    key_id=stored.key_id,
                    wrapped_key=stored.wrapped_key,
                )
            )
            return {}
        return await find_subject_keys(found_session, vault, subject_ids)

    monkeypatch.setattr("app.infra.cipher.find_subject_keys", late)
    found = await ensure_subject_keys(session, VAULT, ["C1", "C2"])
    assert found["C1"].raw_id == theirs.raw_id
    assert looked == [2, 1]


def test_a_key_is_random() -> None:
    assert len({_key().raw_id for _ in range(50)} | {os.urandom(8)}) == 51
