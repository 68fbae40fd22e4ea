"""Gate, judge, model and parameters of single prompts: base's count, and the report says which applied."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import CommandResult, run_command
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving

from promptci.report.model.report import PromptView, ReportView

NEW = {"run": {"cache": None, "memory": None}}
LOOSE = [{"prompts": "order", "gate": {"max_drop": 0.9}}]
LOOSE_SECTION = "promptci:\n  gate: {max_drop: 0.9}\n"


def check(
    folder: Path, base: dict[str, str], head: dict[str, str], sections: dict[str, Any], **pr_sections: Any
) -> tuple[CommandResult, list[PromptView], list[dict[str, Any]]]:
    """Check a change; return the result, the prompts, and the bodies that were sent."""
    with serving() as server:
        builder = RepoBuilder(folder / "shop").write({"promptci.yml": config(server, **NEW, **sections), **base})
        builder.commit("base")
        builder.branch("pr")
        if pr_sections:
            head = {"promptci.yml": config(server, **NEW, **{**sections, **pr_sections}), **head}
        builder.write(head).commit("head")
        result = run_command(builder.path, ["check", "--base", "main"], folder / "out")
        report = folder / "out" / "report.json"
        prompts = ReportView.parse(report.read_bytes(), "report.json").prompts if report.exists() else []
        return result, list(prompts), [call.body for call in server.calls]


def test_a_prompt_has_its_own_margin_and_the_report_says_so(tmp_path: Path) -> None:
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(12), "prompts/other.prompt.yml": prompt(GOOD),
             "goldens/other.jsonl": goldens(12)}  # fmt: skip
    edited = {PROMPT: prompt(BAD), "prompts/other.prompt.yml": prompt(BAD)}
    _, prompts, _ = check(tmp_path, files, edited, {"overrides": LOOSE})
    order, other = sorted(prompts, key=lambda view: view.name)
    assert (order.verdict, order.gate and order.gate.max_drop) == ("pass", 0.9)
    assert (other.verdict, other.gate) == ("fail", None)
    note = "order: `gate.max_drop: 0.9`, from `overrides[0]`."
    assert note in order.notes
    assert "overrides" in (tmp_path / "out" / "comment.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["section", "overrides"])
def test_a_change_cannot_loosen_its_own_gate(tmp_path: Path, kind: str) -> None:
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(12)}
    extra = LOOSE_SECTION if kind == "section" else ""
    sections = {"overrides": LOOSE} if kind == "overrides" else {}
    result, (view,), _ = check(tmp_path, files, {PROMPT: prompt(BAD, extra=extra)}, {}, **sections)
    assert (result.verdict, view.gate) == ("fail", None)
    if kind == "section":
        assert any("adds the section `promptci`" in note for note in view.notes)


def test_the_section_of_base_counts_and_is_no_part_of_the_fingerprint(tmp_path: Path) -> None:
    files = {PROMPT: prompt(GOOD, extra=LOOSE_SECTION), GOLDENS: goldens(12)}
    result, (view,), _ = check(tmp_path / "a", files, {PROMPT: prompt(BAD)}, {})
    assert (result.verdict, view.gate and view.gate.max_drop) == ("pass", 0.9)
    result, prompts, sent = check(tmp_path / "b", files, {PROMPT: prompt(GOOD)}, {})
    assert (result.verdict, prompts, sent) == ("no-change", [], [])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("promptci:\n  gate: {max_dorp: 0.9}\n", "unknown key `gate.max_dorp`"),
        ("promptci:\n  gate: {mode: advise}\n", "unknown key `gate.mode`"),
        ("promptci: 3\n", "which is not valid"),
    ],
)
def test_a_mistake_in_the_section_is_named(tmp_path: Path, extra: str, message: str) -> None:
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(2)}
    result, _, _ = check(tmp_path, files, {PROMPT: prompt(BAD, extra=extra)}, {})
    assert result.verdict == "error"
    assert message in result.text


def test_model_and_parameters_of_some_prompts(tmp_path: Path) -> None:
    texts = {"include": ["prompts/*.md"]}
    own = [{"prompts": "prompts/legal*.md", "provider": {"model": "fake-2", "defaults": {"temperature": 0}}}]
    files = {"prompts/legal.md": GOOD, "prompts/order.md": GOOD, "goldens/legal.jsonl": goldens(1), GOLDENS: goldens(1)}
    edited = {"prompts/legal.md": f"{GOOD} Now.", "prompts/order.md": f"{GOOD} Now."}
    sections = {"prompts": texts, "provider": {"model": "fake-1"}, "overrides": own}
    _, _, sent = check(tmp_path, files, edited, sections)
    asked = {json.dumps([body["model"], body.get("temperature")]) for body in sent}
    assert asked == {'["fake-2", 0]', '["fake-1", null]'}


def test_a_rubric_of_its_own_is_what_the_judge_reads(tmp_path: Path) -> None:
    judged = '{"vars": {"input": "where is GH-1?"}, "assert": [{"type": "judge"}]}\n'
    files = {
        PROMPT: prompt(GOOD), GOLDENS: judged, "all.md": "The common rubric.", "own.md": "The rubric of orders.",
    }  # fmt: skip
    own = [{"prompts": "order", "judge": {"rubric": "own.md"}}]
    sections = {"judge": {"model": "judge-1", "rubric": "all.md", "probes": 0}, "overrides": own}
    _, _, sent = check(tmp_path, files, {PROMPT: prompt(f"{GOOD} Now.")}, sections)
    asked = [json.dumps(body) for body in sent if body["model"] == "judge-1"]
    assert asked
    assert all("The rubric of orders." in body and "The common rubric." not in body for body in asked)
