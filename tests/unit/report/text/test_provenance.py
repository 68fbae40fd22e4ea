"""Where a report comes from: what is known is said, what is not is left out."""

import hashlib

from support import report_situations
from support.run_notation import Numbers, comparison, many, report

from promptci.report.html import html_renderer
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.text import provenance


def facts(view: ReportView) -> dict[str, str]:
    return {row.name: row.value for row in provenance.run_rows(view, document.serialize(view).digest)}


def test_every_fact_of_a_run_on_github_is_said() -> None:
    report_view = report(
        comparison(many(right=60)),
        actor="octo-ann",
        run_url="https://github.com/acme/shop/actions/runs/77",
        started_at="2026-03-02T09:28:00Z",
    )
    result = facts(report_view)
    assert result["Triggered by"] == "octo-ann"
    assert result["Workflow run"] == "https://github.com/acme/shop/actions/runs/77"
    assert (result["Started"], result["Finished"]) == ("2026-03-02 09:28 UTC", "2026-03-02 09:30 UTC")
    assert result["Before"] == "main, 1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
    assert (result["Repository"], result["Pull request"], result["promptci"]) == ("acme/shop", "42", "0.1.0")
    assert result["SHA-256 of report.json"] == hashlib.sha256(document.dump(report_view).encode()).hexdigest()


def test_what_is_not_known_is_left_out_and_a_page_without_a_clock_is_the_same_every_time() -> None:
    report_view = report(
        comparison(many(right=60)), repository=None, pull_request=None, provider=None, generated_at=None
    )
    assert facts(report_view).keys() == {
        "Before",
        "After",
        "Calls and cost",
        "Policy from",
        "promptci",
        "SHA-256 of report.json",
    }
    assert (report_view.generated_at, report_view.started_at) == (None, None)
    assert html_renderer.render_page(report_view) == html_renderer.render_page(
        ReportView.parse(document.dump(report_view), "report.json")
    )


def test_the_page_shows_the_digest_of_the_facts_it_was_drawn_from() -> None:
    assert document.serialize(report_situations.SITUATIONS["regressed"]()).digest in report_situations.page("regressed")


def test_models_asked_and_answered_are_said_once_where_both_versions_agree() -> None:
    (same,) = provenance.prompt_rows(report_situations.SITUATIONS["regressed"]())
    assert same.models == "gpt-4o-mini → gpt-4o-mini-2024-07-18 [fp_b705f0c291]"
    (unlike,) = provenance.prompt_rows(report_situations.SITUATIONS["models_differ"]())
    assert unlike.models == (
        "before gpt-4o-mini → gpt-4o-mini-2024-07-18 [fp_b705f0c291];"
        " after gpt-4o-mini → gpt-4o-mini-2025-02-01 [fp_b705f0c291]"
    )


def test_fingerprints_goldens_and_judge_are_named() -> None:
    (prompt_provenance,) = provenance.prompt_rows(report_situations.SITUATIONS["judge_trusted"]())
    assert len(prompt_provenance.fingerprints) == 2
    assert prompt_provenance.goldens.startswith("24 cases, ")
    assert prompt_provenance.judge.startswith("gpt-4o-mini")
    (moved,) = provenance.prompt_rows(report_situations.SITUATIONS["same_prompt_new_goldens"]())
    assert len(moved.fingerprints) == 1
    (gone,) = provenance.prompt_rows(report_situations.SITUATIONS["deleted"]())
    assert (gone.goldens, gone.models, gone.judge) == ("–", "–", "–")


def test_another_answer_gives_another_digest() -> None:
    reports = [report(comparison(many(right=60), numbers=Numbers(ms=(ms, ms)))) for ms in (500.0, 501.0)]
    assert document.serialize(reports[0]).digest != document.serialize(reports[1]).digest
