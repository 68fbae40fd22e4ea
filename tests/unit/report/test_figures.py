"""Figures: which are written, that equal data gives equal bytes, and that names are shown as they are."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from support import monitor_traffic, report_situations
from support.daily import first_daily

from promptci.cli.command_group import group
from promptci.drift.night import DriftVerdict, NightLine
from promptci.monitor.summary import summarize
from promptci.present.figures import FORMATS, file_name
from promptci.report.canary_document import CanaryDocument
from promptci.report.figures import canary_figure, drift_figure, quality_figure, trend_figure
from promptci.report.model.document import serialize

GOLD = Path(__file__).parents[2] / "gold"
MAGIC = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.mark.parametrize("name", first_daily(FORMATS))
def test_equal_reports_give_equal_files(tmp_path: Path, name: str) -> None:
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        (path,) = quality_figure.write_figures(report_situations.several_prompts(), folder, [name])
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(MAGIC[name])


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    (path,) = quality_figure.write_figures(report_situations.several_prompts(), tmp_path, ["svg"])
    text = path.read_text()
    for words in ("Quality before and after", "acme/shop#42", "order-extractor", "96.7% → 50.8%", "share of passed"):
        assert words in text


def test_a_name_with_dollar_signs_and_markup_is_drawn_as_text(tmp_path: Path) -> None:
    view = report_situations.regressed()
    hostile = view.prompts[0].model_copy(update={"name": "$\\frac{a}{b}$ <b>"})
    (path,) = quality_figure.write_figures(view.model_copy(update={"prompts": [hostile]}), tmp_path, ["svg"])
    assert "$\\frac{a}{b}$ &lt;b&gt;" in path.read_text()


def test_without_a_comparison_nothing_is_drawn(tmp_path: Path) -> None:
    assert quality_figure.write_figures(report_situations.no_prompts_changed(), tmp_path, ["svg"]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(serialize(report_situations.regressed()).text)
    return path


def test_the_command_names_the_files(stored: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["report", str(stored), "--out", str(tmp_path / "out"), "--figures", "svg,png"])
    assert f"Figure: {tmp_path / 'out' / 'quality-before-after.svg'}" in result.output
    assert (tmp_path / "out" / "quality-before-after.png").read_bytes().startswith(MAGIC["png"])


def test_an_unknown_format_is_named(stored: Path) -> None:
    result = CliRunner().invoke(group, ["report", str(stored), "--figures", "gif"])
    assert result.exit_code == 2
    assert "`gif` is not a list of formats; choose from png, pdf, svg" in result.output


TREND = monitor_traffic.monitor(
    [monitor_traffic.traffic(hour, good=170 if hour < 60 else 190) for hour in range(240)],
    [monitor_traffic.latency(day, 900) for day in range(10)],
)
CANARY = CanaryDocument.load((GOLD / "canary/promote.json").resolve(), "promote.json")


def night(day: int, quality: float, verdict: DriftVerdict = DriftVerdict.STEADY) -> NightLine:
    return NightLine(
        at=f"2026-03-{day:02}T03:17:00Z",
        prompt="order/extractor",
        version="v1.3.0",
        fingerprint="8b",
        goldens="9a",
        judge="",
        reference="r",
        model="gpt-4o-mini",
        n=100,
        marks="1",
        quality=quality,
        drop=0.95 - quality,
        h=0.06,
        verdict=verdict,
    )


NIGHTS = [night(1, 0.95), night(2, 0.94), night(4, 0.8, DriftVerdict.DRIFT)]


def test_the_trend_shows_quality_latency_and_cost_by_day(tmp_path: Path) -> None:
    (path,) = trend_figure.write_figures(TREND, tmp_path, ["svg"])
    assert path.name == "trend-order-extractor.svg"
    text = path.read_text()
    for words in ("order-extractor in production", "48,000 requests", "quality", "p95 (ms)", "US$ per request"):
        assert words in text


def test_a_day_with_too_few_requests_is_a_gap(tmp_path: Path) -> None:
    few = monitor_traffic.monitor(
        [monitor_traffic.traffic(0, requests=3)], [monitor_traffic.latency(0, 900, requests=3)]
    )
    (prompt,) = summarize(few)
    assert {day.start: day.latency and day.latency.p95 for day in prompt.days} == {"2026-03-09": None}
    assert len(trend_figure.write_figures(few, tmp_path, ["svg"])) == 1


def test_the_nights_are_drawn_beside_their_reference(tmp_path: Path) -> None:
    (path,) = drift_figure.write_figures(NIGHTS, tmp_path, ["svg"])
    assert path.name.startswith("drift-order-extractor-")  # the name has a slash, so a digest tells it apart
    text = path.read_text()
    for words in ("order/extractor v1.3.0: drift", "3 nights to 2026-03-04", "reference", "steady", "sum of drops"):
        assert words in text


def test_nights_without_answers_are_no_figure(tmp_path: Path) -> None:
    unasked = night(1, 0.9).model_copy(update={"quality": None, "verdict": DriftVerdict.OUTAGE})
    assert drift_figure.write_figures([unasked], tmp_path, ["svg"]) == []


def test_the_evidence_about_a_canary_is_drawn_for_each_metric(tmp_path: Path) -> None:
    (path,) = canary_figure.write_figures(CANARY, tmp_path, ["svg"])
    text = path.read_text()
    for metric in ("quality", "errors", "latency", "cost"):
        assert f"{metric} (within the limit)" in text
    assert "order: canary v2 at 5%" in text


@pytest.mark.parametrize(
    ("first", "second"), [("a/b", "a-b"), ("é", "è"), ("a" * 80, "a" * 81), ("..", "prompt"), ("A b", "A  b")]
)
def test_different_prompts_have_different_files(first: str, second: str) -> None:
    assert file_name(first) != file_name(second)
    assert not {"/", "\\", ":"} & set(file_name(first) + file_name(second))
