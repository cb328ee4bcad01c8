"""Scratch folders: ours alone, gone with the block, and what the dead left goes with the next."""

from __future__ import annotations

import stat
from pathlib import Path

from app.infra.scratch import remove_left_behind, scratch_folder


def test_a_folder_is_ours_alone_and_goes_with_the_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "data", "work-") as home:
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        (home / "deep").mkdir()
        (home / "deep" / "file").write_text("x")
        # Whoever begins meanwhile leaves what is in use alone.
        remove_left_behind(tmp_path / "data", "work-")
        with scratch_folder(tmp_path / "data", "work-") as other:
            assert other != home
        assert (home / "deep" / "file").exists()
    assert list((tmp_path / "data").iterdir()) == []


def test_what_a_killed_one_left_goes_and_a_namesake_stays(tmp_path: Path) -> None:
    left, namesake = tmp_path / "work-left", tmp_path / "work-of-somebody"
    left.mkdir()
    (left / "lock").touch()
    (left / "secret").write_text("x")
    namesake.mkdir()
    remove_left_behind(tmp_path, "work-")
    assert (left.exists(), namesake.exists()) == (False, True)
    remove_left_behind(tmp_path / "nowhere", "work-")
