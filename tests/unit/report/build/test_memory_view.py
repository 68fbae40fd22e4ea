"""Earlier versions of a prompt: measured the same way, each by its last check, today's two left out."""

from typing import Any

from support.run_notation import OLD, comparison, many, prompt, report

from promptci.memory.model import MEMORY_LINES, VerdictRecord
from promptci.report.build.memory_view import DIGEST_DIGITS, MAX_PAST_VERSIONS
from promptci.report.model.report import PastQualityView


def record(fingerprint: str, at: str, quality: float | None, **options: Any) -> VerdictRecord:
    inputs: dict[str, Any] = {
        "id": f"{fingerprint}{at}",
        "at": at,
        "base": "b" * 40,
        "head": "c" * 40,
        "prompt": "order-extractor",
        "status": "changed",
        "fingerprints": ("old", fingerprint),
        "mode": "block",
        "verdict": "pass",
        "blocks": False,
        "pairs": 60,
        "measure": None if quality is None else "pass rate",
        "quality": None if quality is None else (0.9, quality),
        **options,
    }
    return VerdictRecord(**inputs)


def memory(*records: VerdictRecord) -> list[PastQualityView]:
    return report(comparison(many(right=60)), earlier_verdicts=records).prompts[0].earlier_versions


def test_versions_stand_in_the_order_of_time_each_by_its_last_check() -> None:
    past_qualities = memory(
        record("v2", "2026-02-02T00:00:00Z", 0.8, verdict="fail"),
        record("v1", "2026-02-01T00:00:00Z", 0.7),
        record("v1", "2026-02-03T00:00:00Z", 0.75, pull_request=7),
    )
    assert [
        (past_quality.fingerprint, past_quality.quality, past_quality.verdict) for past_quality in past_qualities
    ] == [
        ("v2", 0.8, "fail"),
        ("v1", 0.75, "pass"),
    ]
    assert (past_qualities[1].pull_request, past_qualities[1].commit, past_qualities[1].pairs) == (7, "c" * 40, 60)


def test_what_was_measured_otherwise_or_not_at_all_is_left_out() -> None:
    assert not memory(
        record("v1", "2026-02-01T00:00:00Z", None),
        record("v2", "2026-02-01T00:00:00Z", 0.7, measure="mean score"),
        record("v3", "2026-02-01T00:00:00Z", 0.7, prompt="another"),
        record("v4", "2026-02-01T00:00:00Z", 0.7, verdict="error"),
        record("v5", "2026-02-01T00:00:00Z", 0.7, fingerprints=("old", None)),
    )


def test_the_versions_of_this_run_are_left_out() -> None:
    now = prompt("order-extractor", OLD).fingerprint[:DIGEST_DIGITS]
    assert not memory(record(now, "2026-02-01T00:00:00Z", 0.7))


def test_only_the_last_versions_are_kept() -> None:
    many_of_them = [record(f"v{i:02}", f"2026-02-01T00:{i:02}:00Z", 0.7) for i in range(MAX_PAST_VERSIONS + 5)]
    assert [past_quality.fingerprint for past_quality in memory(*many_of_them)] == [
        f"v{i:02}" for i in range(5, MAX_PAST_VERSIONS + 5)
    ]


def test_a_line_written_before_quality_was_kept_is_still_read() -> None:
    line = MEMORY_LINES.to_value(record("v1", "2026-02-01T00:00:00Z", 0.7))
    old = {key: value for key, value in line.items() if key not in ("measure", "quality")}
    read, newer = MEMORY_LINES.from_value(old), MEMORY_LINES.from_value(line)
    assert isinstance(read, VerdictRecord)
    assert (read.measure, read.quality) == (None, None)
    assert isinstance(newer, VerdictRecord)
    assert newer.quality == (0.9, 0.7)


def test_the_repeats_of_a_run_show_its_flaky_cases_without_a_memory() -> None:
    """A case that one version answers both ways varies by itself; one that differs between versions does not."""
    rows = """
    mail-1 | a | 1 | 1 / 1 / 1 | 1 / 0 / 1
    mail-2 | b | 2 | 2 / 2 / 2 | 0 / 0 / 0
    mail-3 | c | 3 | 3 / 3 / 3 | 3 / 3 / 3
    """
    view = report(comparison(rows)).prompts[0]
    assert [(case.id, case.passes, case.fails) for case in view.flaky.cases] == [("mail-1", 2, 1)]
    assert [case.id for case in view.case_details if case.flaky] == ["mail-1"]
    assert view.flaky.discordance is None  # a result is not weighed by its own noise
    assert not report(comparison(rows), answers_are_fresh=False).prompts[0].flaky.cases
