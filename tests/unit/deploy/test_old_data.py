"""Test that data of an earlier format are refused with the command that deletes them."""

from pathlib import Path

import pytest

from local.platform import Layout, OldDataError


def layout_in(folder: Path) -> Layout:
    return Layout(folder, {})


def test_data_of_the_current_format_are_accepted(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    layout.check_data()
    (layout.data / "kafka").mkdir()
    layout.check_data()


@pytest.mark.parametrize("written", [None, "1", "2"])
def test_data_of_an_earlier_format_are_refused_with_the_command(
    tmp_path: Path, written: str | None
) -> None:
    layout = layout_in(tmp_path)
    (layout.data / "kafka").mkdir(parents=True)
    if written is not None:
        (layout.data / "format").write_text(f"{written}\n")
    with pytest.raises(OldDataError, match="make run FRESH=1"):
        layout.check_data()
