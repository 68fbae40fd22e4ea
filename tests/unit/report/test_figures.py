"""Figures of a run: which are written, that equal data gives equal bytes, and that names are shown as they are."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from support import report_situations

from promptci.cli.report import command
from promptci.present.figures import FORMATS
from promptci.report import figures
from promptci.report.model.document import serialize

MAGIC = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.mark.parametrize("name", FORMATS)
def test_equal_reports_give_equal_files(tmp_path: Path, name: str) -> None:
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        (path,) = figures.write_figures(report_situations.several_prompts(), folder, [name])
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(MAGIC[name])


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    (path,) = figures.write_figures(report_situations.several_prompts(), tmp_path, ["svg"])
    text = path.read_text()
    for words in ("Quality before and after", "acme/shop#42", "order-extractor", "96.7% → 50.8%", "share of passed"):
        assert words in text


def test_a_name_with_dollar_signs_and_markup_is_drawn_as_text(tmp_path: Path) -> None:
    view = report_situations.regressed()
    hostile = view.prompts[0].model_copy(update={"name": "$\\frac{a}{b}$ <b>"})
    (path,) = figures.write_figures(view.model_copy(update={"prompts": [hostile]}), tmp_path, ["svg"])
    assert "$\\frac{a}{b}$ &lt;b&gt;" in path.read_text()


def test_without_a_comparison_nothing_is_drawn(tmp_path: Path) -> None:
    assert figures.write_figures(report_situations.no_prompts_changed(), tmp_path, ["svg"]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(serialize(report_situations.regressed()).text)
    return path


def test_the_command_names_the_files(stored: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(stored), "--out", str(tmp_path / "out"), "--figures", "svg,png"])
    assert f"Figure: {tmp_path / 'out' / 'quality-before-after.svg'}" in result.output
    assert (tmp_path / "out" / "quality-before-after.png").read_bytes().startswith(MAGIC["png"])


def test_an_unknown_format_is_named(stored: Path) -> None:
    result = CliRunner().invoke(command, [str(stored), "--figures", "gif"])
    assert result.exit_code == 2
    assert "`gif` is not a list of formats; choose from png, pdf, svg" in result.output
