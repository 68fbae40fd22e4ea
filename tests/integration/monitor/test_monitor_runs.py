"""`promptci monitor` as a whole: what it writes, and that nothing found is never a good sign."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import log_formats as formats
from support import released, repositories
from support.daily import first_daily, some_daily

from promptci.cli import command_group
from promptci.errors import PromptciError
from promptci.monitor.document import MonitorDocument
from promptci.monitor.month import MonthLine
from promptci.runtime import point

NOW = "2026-03-04T09:00:00Z"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "app.jsonl"
    return formats.write_jsonl(path, formats.promptci_rows(formats.requests(400)))


def run(*words: object, now: str = NOW) -> Result:
    arguments = ["monitor", "--now", now, *map(str, words)]
    return CliRunner().invoke(command_group.group, arguments, standalone_mode=False)


def refusal(*words: object) -> tuple[int, str]:
    error = run(*words).exception
    assert isinstance(error, PromptciError)
    return error.exit_code, str(error)


def test_page_and_tables_are_written(log: Path, tmp_path: Path) -> None:
    result = run("--log", log, "--out", tmp_path)
    assert result.exception is None
    document = MonitorDocument.load(tmp_path / "monitor.json")
    assert sum(row.requests for row in document.traffic) == 400
    assert document.dump() == (tmp_path / "monitor.json").read_text()
    page = (tmp_path / "monitor.html").read_text()
    assert "order-extractor" in page
    assert "are answered by <code>gpt-4o-mini-2025-01-05</code> since 2026-03-03 08:00 UTC" in page
    assert "too few" in result.output
    assert "before by gpt-4o-mini-2024-07-18" in result.output


def test_json_is_the_document_of_one_prompt_since_and_until(log: Path, tmp_path: Path) -> None:
    bounds = ("--prompt", "language-router", "--since", "2026-03-03", "--until", "2026-03-03T12:00Z")
    traffic = json.loads(run("--log", log, "--out", tmp_path, "--json", *bounds).output)["traffic"]
    assert {row["prompt"] for row in traffic} == {"language-router"}
    hours = [row["hour"] for row in traffic]
    assert (min(hours), max(hours)) == ("2026-03-03T00:00:00Z", "2026-03-03T11:00:00Z")


def test_the_figures_of_a_month_are_kept_on_the_history_branch(log: Path, tmp_path: Path) -> None:
    builder = released.shop(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in released.ENVIRONMENT.items():
            patch.setenv(name, value)
        for _ in range(2):  # the second adds nothing
            assert run("--repo", builder.path, "--log", log, "--out", tmp_path / "out", "--history").exception is None
    text = builder.git("show", "promptci/history:months/2026-03.jsonl")
    lines = [MonthLine.parse(line, "months") for line in text.splitlines()]
    assert sum(line.requests for line in lines) == 400
    assert {line.prompt for line in lines} == {"language-router", "order-extractor"}
    assert builder.git("rev-list", "--count", "promptci/history") == "1"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    some_daily(
        [
            (("--log", "{folder}/none-*.jsonl"), 4, "no file matches"),
            (("--log", "{folder}/none.jsonl"), 2, "There is no file"),
            (("--log", "{folder}/empty.jsonl"), 4, "the log is empty"),
            (("--log", "{folder}/bad.jsonl"), 4, "its format is not known"),
            (("--log", "{folder}/cut.jsonl.gz"), 4, "cut.jsonl.gz: it cannot be unpacked"),
            (("--log", "{folder}/odd.jsonl.gz"), 4, "odd.jsonl.gz: it cannot be unpacked"),
            (
                ("--log", "{log}", "--since", "2027-01-01"),
                4,
                "in the time that was asked for; the newest line is of 2026-03-04",
            ),
            (("--log", "{log}", "--prompt", "nobody"), 4, "is a request of nobody in the time"),
            (("--log", "{log}", "--engine", "nonsense"), 2, "`nonsense` is no engine"),
        ],
        4,
    ),
)
def test_nothing_to_show_is_an_error_with_a_name(
    words: tuple[str, ...], code: int, text: str, log: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "bad.jsonl").write_text("{nonsense\n" * 5)
    packed = gzip.compress(log.read_bytes())
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[:-30])
    (tmp_path / "odd.jsonl.gz").write_bytes(packed[:2000] + bytes(50) + packed[2050:])
    result, message = refusal(*(word.format(folder=tmp_path, log=log) for word in words), "--out", tmp_path / "out")
    assert result == code
    assert text in message
    assert not (tmp_path / "out").exists()


def test_a_log_that_stopped_is_red_and_says_so(log: Path, tmp_path: Path) -> None:
    result = run("--log", log, "--out", tmp_path, now="2026-03-05T09:00:00Z")
    assert "NO DATA: the newest line is of 2026-03-04 07:5" in result.output
    assert '<div class="verdict bad" id="freshness"' in (tmp_path / "monitor.html").read_text()


def test_arms_are_computed_again_from_the_key(tmp_path: Path) -> None:
    results = []
    for number in range(200):
        key = f"user-{number}"
        is_canary = point("order-extractor@v1.3.0", key) * 10_000 < 2500 * 2**32
        wrong = number in (3, 4, 5)
        arm = "canary" if is_canary != wrong else "stable"
        results.append((key, arm))
    rows = [
        {
            "time": "2026-03-02T10:00:00Z",
            "promptci.request": f"r{key}",
            "gen_ai.prompt.name": "order-extractor",
            "gen_ai.prompt.version": "prompts/order-extractor/v1.3.0" if arm == "canary" else "v1.2.0",
            "feature_flag.result.variant": arm,
            "promptci.share": 2500,
            "feature_flag.context.id": key,
        }
        for key, arm in results
    ]
    result = run("--log", formats.write_jsonl(tmp_path / "log.jsonl", rows), "--out", tmp_path / "out", "--json")
    (split,) = json.loads(result.output)["splits"]
    canaries = sum(arm == "canary" for _, arm in results)
    assert (split["keyed"], split["wrong_arm"]) == (200, 3)
    assert (split["canary_units"], split["stable_units"], split["expected"]) == (canaries, 200 - canaries, 50.0)


def test_names_of_the_configuration_are_used(tmp_path: Path) -> None:
    columns = "{time: at, id: nr, prompt: template, version: rev, latency_s: took}"
    builder = repositories.shop(tmp_path / "repo", {"promptci.yml": f"log:\n  columns: {columns}\n"})
    entry = {"at": "2026-03-02T10:15:03Z", "nr": "7", "template": "order", "rev": "v3", "took": 1.5}
    log = formats.write_jsonl(tmp_path / "log.jsonl", [entry])
    result = run("--repo", builder.path, "--log", log, "--out", tmp_path / "out", "--json")
    (row,) = json.loads(result.output)["traffic"]
    assert (row["prompt"], row["version"], row["requests"]) == ("order", "v3", 1)


def logged(time: str, **fields: object) -> bytes:
    request = next(iter(formats.promptci_rows(formats.requests(1))))
    return json.dumps({**request, "time": time, "promptci.request": "one", **fields}).encode() + b"\n"


@pytest.mark.long
def test_one_clock_that_is_ahead_keeps_no_dead_log_fresh(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_bytes(log.read_bytes() + logged("2036-01-01T00:00:00Z"))
    result = run("--log", path, "--out", tmp_path, now="2026-03-20T09:00:00Z")
    assert "`time` is `2036-01-01T00:00:00Z`, in the future" in result.output
    assert "NO DATA: the newest line is of 2026-03-04 07:5" in result.output
    document = MonitorDocument.load(tmp_path / "monitor.json")
    assert document.newest is not None
    assert document.newest.startswith("2026-03-04")
    assert sum(row.requests for row in document.traffic) == 400


def test_a_log_whose_clock_is_wrong_is_refused(tmp_path: Path) -> None:
    for name, time, text in (
        ("ahead.jsonl", "2036-01-01T00:00:00Z", "in the future"),
        ("before.jsonl", "0001-01-01T00:00:00+14:00", "no time in ISO 8601"),
    ):
        (tmp_path / name).write_bytes(logged(time))
        code, words = refusal("--log", tmp_path / name)
        assert code == 4
        assert "1 of 1 lines are invalid" in words
        assert text in words


@pytest.mark.long
def test_more_tokens_than_can_be_true_are_a_bad_line_and_not_unknown_ones(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_bytes(log.read_bytes() + logged("2026-03-03T00:00:00Z", **{"gen_ai.usage.output_tokens": 10**30}))
    result = run("--log", path, "--out", tmp_path)
    assert "no number from 0 to 1,000,000,000,000" in result.output


@pytest.mark.parametrize("content", first_daily([b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)]))
def test_a_log_with_nothing_in_it_is_empty_and_spoils_no_other(content: bytes, log: Path, tmp_path: Path) -> None:
    (tmp_path / "quiet.jsonl").write_bytes(content)
    code, words = refusal("--log", tmp_path / "quiet.jsonl")
    assert (code, "the log is empty" in words) == (4, True)
    result = run("--log", tmp_path / "quiet.jsonl", "--log", log, "--out", tmp_path)
    assert result.exception is None
    assert "quiet.jsonl: 0 lines" in result.output
