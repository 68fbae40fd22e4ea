"""The main errand over real repositories and a real server: each path to each verdict."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, Reply, error
from fakes.repo import RepoBuilder
from support.cli_runs import run_command
from support.daily import first_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    model,
    only,
    prompt,
    serving,
    shop,
    view,
)

from promptci.app.requests import CheckRequest, RunRequest, RunResult
from promptci.errors import GitError, InputError, UsageError
from promptci.evaluation import check, run
from promptci.report.text import next_steps
from promptci.usecases.reporting import report

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}
BETTER = "Copy the order number, nothing else."


def rules(outcome: RunResult) -> set[str]:
    return {r.rule for p in view(outcome).prompts for r in p.findings} | {r.rule for r in view(outcome).problems}


def test_a_prompt_that_got_worse_fails_and_names_the_cases(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    prompt_view = only(outcome)
    assert (view(outcome).verdict, outcome.exit_code) == ("fail", 1)
    assert (prompt_view.status, prompt_view.pairs, len(prompt_view.regressions), prompt_view.fixes) == (
        "changed",
        60,
        30,
        [],
    )
    assert prompt_view.change_reasons == ["prompt changed"]
    assert len(server.calls) == 120
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        "report.html", "comment.md", "summary.md", "report.json", "junit.xml", "journal.jsonl",
    }  # fmt: skip


def test_a_harmless_edit_passes(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("pass", 0)
    assert "not-worse" in rules(outcome)


def test_an_untouched_prompt_asks_nothing(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({"README.md": "docs"}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code, server.calls) == ("no-change", 0, [])


@pytest.mark.parametrize(
    "edit",
    [
        {PROMPT: "# a comment\n" + prompt(GOOD)},
        {PROMPT: prompt(GOOD, extra="description: new words\n")},
        {PROMPT: prompt(GOOD).replace("\n", "\r\n")},
    ],
)
def test_an_edit_that_cannot_change_an_answer_asks_nothing(tmp_path: Path, edit: dict[str, str]) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write(edit).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, server.calls) == ("no-change", [])


def test_a_rename_without_edits_whose_goldens_still_fit_asks_nothing(tmp_path: Path) -> None:
    with serving() as server:
        named = {PROMPT: prompt(GOOD, extra="name: order\n"), GOLDENS: goldens(60)}
        builder = shop(tmp_path, named, server)
        builder.rename(PROMPT, "prompts/moved/other.prompt.yml").commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, server.calls) == ("no-change", [])


def test_a_rename_that_loses_its_goldens_is_an_error(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.rename(PROMPT, "prompts/parcel.prompt.yml").commit()
        outcome = checked(builder)
    assert (only(outcome).status, view(outcome).verdict, outcome.exit_code) == ("renamed", "error", 4)
    assert "missing-goldens" in rules(outcome)


def test_a_rename_with_edits_is_compared_with_its_old_self(tmp_path: Path) -> None:
    with serving() as server:
        named = {PROMPT: prompt(GOOD, extra="name: order\n"), GOLDENS: goldens(60)}
        builder = shop(tmp_path, named, server)
        builder.rename(PROMPT, "prompts/x.prompt.yml").write(
            {"prompts/x.prompt.yml": prompt(BAD, extra="name: order\n")}
        )
        builder.commit()
        outcome = checked(builder)
    assert (only(outcome).status, view(outcome).verdict) == ("renamed", "fail")


def test_a_new_prompt_meets_the_absolute_limits_only(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {"promptci.yml": config(server, gate={"min_quality": 0.9})})
        builder.write({PROMPT: prompt(BAD), GOLDENS: goldens(60)}).commit()
        outcome = checked(builder)
    assert (only(outcome).status, view(outcome).verdict) == ("added", "fail")
    assert rules(outcome) >= {"new-prompt", "min-quality"}
    assert len(server.calls) == 60


def test_a_copied_prompt_is_a_new_one(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({"prompts/copy.prompt.yml": prompt(GOOD), "goldens/copy.jsonl": goldens(5)}).commit()
        outcome = checked(builder)
    assert [(p.name, p.status) for p in view(outcome).prompts] == [("copy", "added")]


def test_a_deleted_prompt_is_reported(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.remove(PROMPT).commit()
        outcome = checked(builder)
    assert (only(outcome).status, view(outcome).verdict, server.calls) == ("deleted", "inconclusive", [])


def test_changed_goldens_are_asked_once_for_both_and_the_shrinking_is_called_out(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        rows = goldens(62).splitlines()
        rows[0] = rows[0].replace('"expected": "GH-1000"', '"assert": [{"type": "contains", "value": "GH"}]')
        builder.write({GOLDENS: "\n".join(row for i, row in enumerate(rows) if i != 5)}).commit()
        outcome = checked(builder)
    prompt_view = only(outcome)
    assert (prompt_view.status, prompt_view.change_reasons, view(outcome).verdict) == (
        "unchanged",
        ["goldens changed"],
        "pass",
    )
    assert (prompt_view.removed_cases, prompt_view.weakened_cases, prompt_view.new_cases) == (
        ["c005"],
        ["c000"],
        ["c060", "c061"],
    )
    assert len(server.calls) == 61
    assert rules(outcome) >= {"goldens-removed", "goldens-weakened"}


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_golden_set_emptied_by_the_change_is_an_error(tmp_path: Path, text: str) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({GOLDENS: text}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert "no-cases" in rules(outcome)
    assert f"has an empty golden set (`{GOLDENS}`), so nothing was tested" in view(outcome).headline


def test_a_set_up_that_is_not_committed_is_named_with_what_to_do(tmp_path: Path) -> None:
    with serving() as server:
        builder = RepoBuilder(tmp_path / "shop").write({PROMPT: prompt(GOOD)})
        builder.commit("base")
        builder.write({"promptci.yml": config(server), GOLDENS: goldens(3), PROMPT: prompt(BAD)})
        outcome = checked(builder, head=".")
        builder.commit("set-up")
        builder.branch("pr").write({PROMPT: prompt(GOOD)})
        assert "no-pairs" not in rules(checked(builder, head="."))
    assert view(outcome).headline == (
        "Inconclusive: order cannot be compared, because the base revision has no goldens for it; not committed:"
        f" `promptci.yml` and `{GOLDENS}`. It fails 1 of the 3 cases that this change adds (c001);"
        " new cases do not decide."
    )
    steps = next_steps.next_steps(view(outcome))
    assert "Commit promptci.yml and goldens to the base branch first" in steps[0]
    assert "`promptci run`" in steps[0]


def test_the_first_goldens_of_a_prompt_can_be_merged_and_compare_nothing(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD)}, server)
        builder.write({GOLDENS: goldens(3)}).commit()
        outcome = checked(builder)
    assert view(outcome).headline == (
        "Inconclusive: order cannot be compared, because the base revision has no goldens for it."
    )
    assert "Merge the goldens first" in next_steps.next_steps(view(outcome))[0]


def test_a_prompt_without_goldens_is_what_the_policy_says(tmp_path: Path) -> None:
    with serving() as server:
        lenient = config(server, gate={"on_missing_goldens": "warn"})
        builder = shop(tmp_path, {"promptci.yml": lenient, PROMPT: prompt(GOOD)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        assert view(checked(builder)).verdict == "inconclusive"
        builder.write({"promptci.yml": config(server)}).commit()
        builder.git("branch", "--force", "main")
        builder.write({PROMPT: prompt(BETTER)}).commit()
        assert view(checked(builder)).verdict == "error"


def test_test_data_and_evaluators_of_the_prompt_file_are_goldens(tmp_path: Path) -> None:
    data = "testData:\n" + "".join(f"  - {{input: where is GH-{i}, expected: GH-{i}}}\n" for i in range(40))
    tail = data + "evaluators:\n  - {name: same, string: {equals: '{{expected}}'}}\n"
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD, extra=tail)}, server)
        builder.write({PROMPT: prompt(BAD, extra=tail)}).commit()
        outcome = checked(builder)
    assert (only(outcome).cases, view(outcome).verdict, len(only(outcome).regressions)) == (40, "fail", 20)


def test_a_changed_include_runs_the_prompt_that_includes_it(tmp_path: Path) -> None:
    with serving() as server:
        files = {PROMPT: prompt("{{> tone.md}}"), "prompts/tone.md": GOOD, GOLDENS: goldens(60)}
        builder = shop(tmp_path, files, server)
        builder.write({"prompts/tone.md": BAD}).commit()
        outcome = checked(builder)
    assert (only(outcome).change_reasons, view(outcome).verdict) == (["prompt or a file it includes changed"], "fail")


def test_an_edited_rubric_runs_what_it_judges_and_the_base_s_rubric_judges(tmp_path: Path) -> None:
    seen: list[str] = []

    def judged(call: Call) -> str:
        system = call.body["messages"][0]["content"]
        if "You grade" not in system:
            return model(call)
        seen.append(system)
        return '{"reason": "fine", "score": 5}'

    row = json.dumps({"id": "a", "vars": {"input": "where is GH-1?"}, "assert": [{"type": "judge"}]})
    with serving(judged) as server:
        text = config(server, judge={"model": "judge-1", "rubric": "judges/kind.md"})
        builder = shop(
            tmp_path, {"promptci.yml": text, PROMPT: prompt(GOOD), GOLDENS: row, "judges/kind.md": "Be kind."}
        )
        builder.write({"judges/kind.md": "Anything goes."}).commit()
        outcome = checked(builder)
    assert only(outcome).change_reasons == ["judge rubric changed"]
    assert seen
    assert all("Be kind." in system and "Anything goes." not in system for system in seen)


def test_an_edited_configuration_runs_the_prompts_and_the_base_s_gate_decides(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({"promptci.yml": config(server, gate={"mode": "advise"}), PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.exit_code == 1
    assert "configuration changed" in only(outcome).change_reasons
    assert any("taken from the base revision" in note for note in view(outcome).notes)


def test_a_change_cannot_send_the_key_elsewhere(tmp_path: Path) -> None:
    with serving() as server, serving() as elsewhere:
        builder = shop(tmp_path, FILES, server)
        builder.write({"promptci.yml": config(elsewhere), PROMPT: prompt(BAD)}).commit()
        checked(builder, environ={"OPENAI_API_KEY": "sk-test-0123456789"})
    assert (len(server.calls), elsewhere.calls) == (120, [])


def test_a_change_cannot_hide_a_prompt_by_narrowing_include(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        narrow = config(server, prompts={"include": ["elsewhere/*.prompt.yml"]})
        builder.write({"promptci.yml": narrow, PROMPT: prompt(BAD)}).commit()
        report_view = view(checked(builder))
    assert (report_view.verdict, report_view.prompts[0].verdict) == ("error", "fail")
    assert any("`order` is no longer tested after this change" in each.text for each in report_view.problems)


def test_without_a_configuration_at_base_the_head_s_is_used_and_said(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES)
        builder.write({"promptci.yml": config(server), PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert view(outcome).verdict == "fail"
    assert any("has no promptci.yml" in note for note in view(outcome).notes)


@pytest.mark.parametrize("gate", first_daily([{"max_drop": 1.0}, {"mode": "advise"}]))
def test_the_first_configuration_does_not_judge_the_change_that_brings_it(tmp_path: Path, gate: dict[str, Any]) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES)
        builder.write({"promptci.yml": config(server, gate=gate), PROMPT: prompt(BAD)}).commit()
        harmful = checked(builder)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        harmless = checked(builder)
        builder.write({PROMPT: prompt(GOOD)}).commit()
        unchanged = checked(builder)
    assert (view(harmful).verdict, harmful.exit_code) == ("fail", 1)
    assert (view(harmless).verdict, harmless.exit_code) == ("inconclusive", 0)
    assert "by the configuration of this change, because the base revision has none" in view(harmless).headline
    assert view(unchanged).verdict == "pass"


def test_no_key_is_an_error_and_never_green(tmp_path: Path) -> None:
    builder = shop(tmp_path, {**FILES, "promptci.yml": config()})
    builder.write({PROMPT: prompt(BETTER)}).commit()
    outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert "OPENAI_API_KEY" in (tmp_path / "out" / "comment.md").read_text()


def test_every_answer_failing_is_an_error_with_its_cause(tmp_path: Path) -> None:
    with serving(lambda _: error(400, "the model is out of order")) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert "out of order" in only(outcome).findings[0].text


def test_a_few_failed_calls_are_missing_data(tmp_path: Path) -> None:
    def moody(call: Call) -> Reply | str:
        return error(500, "no") if "GH-1007" in call.last_user_message else model(call)

    with serving(moody) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert (only(outcome).pairs, only(outcome).errors, view(outcome).verdict) == (59, 2, "inconclusive")


def test_malformed_files_are_reported_all_at_once_with_their_lines(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: "model: m\n", GOLDENS: '{"id": 1.5}\n{}\n', "prompts/b.prompt.yml": "x: [\n"}).commit()
        builder.write({"prompts/c.prompt.yml": prompt("{{gone}}"), "goldens/c.jsonl": goldens(1)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code, server.calls) == ("error", 4, [])
    assert {problem.path for problem in outcome.problems} >= {PROMPT, "prompts/b.prompt.yml"}


def test_a_missing_variable_and_a_bad_assertion_are_found_before_anything_is_asked(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        bad = json.dumps({"id": "x", "vars": {}, "assert": [{"type": "contian", "value": "x"}]})
        builder.write({PROMPT: prompt("{{gone}}"), GOLDENS: bad}).commit()
        outcome = checked(builder)
    problems = [str(problem) for problem in outcome.problems]
    assert any("no variable `gone`" in line and line.startswith(f"{GOLDENS}:1") for line in problems)
    assert any("Did you mean `contains`?" in line for line in problems)
    assert server.calls == []


def test_a_missing_variable_is_an_error_of_its_prompt_and_the_others_still_run(tmp_path: Path) -> None:
    other, other_goldens = "prompts/other.prompt.yml", "goldens/other.jsonl"
    with serving() as server:
        builder = shop(tmp_path, {**FILES, other: prompt(GOOD), other_goldens: goldens(20)}, server)
        builder.write({PROMPT: prompt("Answer in {{language}}."), other: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    prompt_view = only(outcome)
    assert (prompt_view.name, prompt_view.verdict, prompt_view.pairs) == ("other", "fail", 20)
    assert len(server.calls) == 40
    texts = [finding.text for finding in view(outcome).problems]
    assert all("no variable `language`, which prompts/order.prompt.yml uses" in text for text in texts)
    assert "57 more cases have the same problem" in texts[-1]
    assert [problem.path for problem in outcome.problems] == [GOLDENS] * 3


def test_a_variable_that_fills_a_message_with_too_much_text_is_an_error_that_names_the_case(tmp_path: Path) -> None:
    rows = json.dumps({"id": "huge", "vars": {"input": "x" * 2**20}, "expected": "x"}) + "\n"
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: rows}, server)
        builder.write({PROMPT: prompt("{{input}}" * 20)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code, server.calls) == ("error", 4, [])
    (problem,) = outcome.problems
    assert "case `huge` fills a message of prompts/order.prompt.yml with more than 16 million characters" in str(
        problem
    )


def test_cases_that_send_the_same_requests_are_one_observation(tmp_path: Path) -> None:
    """Each case three times under another id: no more evidence than once."""
    rows = [json.loads(line) for line in goldens(20).splitlines()]
    thrice = "".join(json.dumps({**row, "id": f"{row['id']}-{i}"}) + "\n" for row in rows for i in range(3))
    results = []
    for name, text in (("once", goldens(20)), ("thrice", thrice)):
        with serving() as server:
            builder = shop(tmp_path / name, {PROMPT: prompt(GOOD), GOLDENS: text}, server)
            builder.write({PROMPT: prompt(BAD)}).commit()
            result = only(checked(builder)).quality
            assert result is not None
            assert result.worse == len(text.splitlines()) / 2  # counted as they are written
            results.append((result.p, result.adjusted_p, result.interval, len(server.calls)))
    assert results[0] == results[1]


def test_of_several_merge_bases_the_report_names_the_one_taken(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({"p.txt": "pr"}).commit()
        old = builder.git("rev-parse", "HEAD")
        builder.git("switch", "--quiet", "main")
        builder.write({"m.txt": "main"}).commit()
        new = builder.git("rev-parse", "HEAD")
        builder.git("merge", "--quiet", "--no-edit", old)
        builder.git("switch", "--quiet", "pr")
        builder.git("merge", "--quiet", "--no-edit", new)
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder, base=None)
    base = view(outcome).base
    assert base is not None
    assert base.rev == "merge base (the newest of 2 merge bases)"
    assert base.sha in {old, new}
    assert "the newest of 2 merge bases" in (tmp_path / "out" / "comment.md").read_text()


def test_a_bad_assertion_is_an_error_of_its_prompt_and_the_others_still_run(tmp_path: Path) -> None:
    other = "prompts/other.prompt.yml"
    bad = json.dumps({"id": "x", "vars": {"input": "x"}, "assert": [{"type": "contian", "value": "x"}]})
    with serving() as server:
        builder = shop(tmp_path, {**FILES, other: prompt(GOOD), "goldens/other.jsonl": bad}, server)
        builder.write({PROMPT: prompt(BAD), other: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert (only(outcome).name, only(outcome).verdict) == ("order", "fail")
    assert "Did you mean `contains`?" in view(outcome).problems[0].text


def test_a_broken_file_that_the_change_mends_does_not_stop_it(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, PROMPT: "model: [\n"}, server)
        builder.write({PROMPT: prompt(GOOD)}).commit()
        outcome = checked(builder)
    assert (only(outcome).status, view(outcome).verdict) == ("added", "pass")
    assert any("At the base revision" in note for note in view(outcome).notes)


def test_a_broken_file_that_the_change_does_not_touch_is_a_note(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "prompts/broken.prompt.yml": "model: [\n"}, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert view(outcome).verdict == "pass"
    assert any("broken.prompt.yml" in note for note in view(outcome).notes)


def test_a_broken_configuration_is_exit_code_2_with_a_report(tmp_path: Path) -> None:
    builder = shop(tmp_path, {**FILES, "promptci.yml": "gate: {max_dorp: 1}\n"})
    builder.write({PROMPT: prompt(BAD)}).commit()
    outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 2)
    assert "max_drop" in (tmp_path / "out" / "comment.md").read_text()


def test_a_configuration_outside_of_the_repository_is_exit_code_2(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    result = run_command(builder.path, ["run", "--config", "../x.yml"], tmp_path / "out")
    assert (result.exit_code, "leads out of the repository" in result.text) == (2, True)


def test_the_working_tree_is_tested_before_it_is_committed(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)})
        outcome = checked(builder, head=".")
    assert (view(outcome).verdict, view(outcome).head.sha) == ("fail", None)


def test_a_second_run_takes_its_answers_from_the_cache(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        first = checked(builder)
        second = checked(builder)
        asked = len(server.calls)
        third = checked(builder, no_cache=True)
    assert asked == 120
    assert len(server.calls) == 240
    assert view(second).spend.cached == 120
    assert only(first).regressions == only(second).regressions == only(third).regressions


def test_cached_answers_are_scored_by_the_present_assertions(tmp_path: Path) -> None:
    rows = [json.loads(row) for row in goldens(12).splitlines()]
    contains = [
        {"id": row["id"], "vars": row["vars"], "assert": [{"type": "contains", "value": "GH-"}]} for row in rows
    ]
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(12)}, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        assert view(checked(builder)).verdict == "fail"
        asked = len(server.calls)
        builder.git("checkout", "-q", "main")
        builder.write({GOLDENS: "".join(json.dumps(row) + "\n" for row in contains)}).commit()
        builder.git("checkout", "-q", "pr")
        builder.git("rebase", "-q", "main")
        loosened = checked(builder)
    assert (len(server.calls) - asked, view(loosened).verdict) == (0, "inconclusive")
    assert only(loosened).regressions == []


def test_recorded_answers_give_the_same_report_without_the_model(tmp_path: Path) -> None:
    tape = tmp_path / "shop" / "answers.jsonl"
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        live = checked(builder, record=tape)
    assert len(tape.read_text().splitlines()) == 120
    builder.git("switch", "--quiet", "main")
    builder.write({"promptci.yml": config(provider={"kind": "recorded", "path": "answers.jsonl"})}).commit()
    builder.branch("again").write({PROMPT: prompt(BAD)}).commit()
    replayed = checked(builder, out=tmp_path / "replayed")
    assert only(replayed).quality == only(live).quality
    assert only(replayed).regressions == only(live).regressions


def test_a_report_is_drawn_again_from_its_json_and_from_its_journal(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        live = checked(builder)
    out = tmp_path / "out"
    again = report.redraw_report(out / "report.json", tmp_path / "again", builder.path, make_environment()[0])
    assert (tmp_path / "again" / "report.html").read_bytes() == (out / "report.html").read_bytes()
    assert again.exit_code == 1
    replay = report.redraw_report(out / "journal.jsonl", tmp_path / "replay", builder.path, make_environment()[0])
    assert only(replay).quality == only(live).quality
    assert only(replay).regressions == only(live).regressions


@pytest.mark.long
def test_the_large_journal_of_a_finished_run_is_compressed_drawn_from_and_never_resumed(tmp_path: Path) -> None:
    with serving(lambda _: "order " * 2000) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        live = checked(builder, no_cache=True)
        out = tmp_path / "out"
        assert sorted(path.name for path in out.glob("journal*")) == ["journal.jsonl.gz"]
        before = len(server.calls)
        checked(builder, no_cache=True)
        assert len(server.calls) == 2 * before
        packed = out / "journal.jsonl.gz"
        replay = report.redraw_report(packed, tmp_path / "replay", builder.path, make_environment()[0])
        assert only(replay).quality == only(live).quality
        (out / "report.json").unlink()  # as if the run had been killed before its end
        checked(builder, no_cache=True)
        assert len(server.calls) == 3 * before
    assert sorted(path.name for path in out.glob("journal*")) == ["journal.jsonl.gz"]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        whole = checked(builder, no_cache=True)
        out = tmp_path / "out"
        lines = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
        (out / "journal.jsonl").write_bytes(b"".join(lines[:41]) + lines[41][:20])
        (out / "report.json").unlink()
        server.calls.clear()
        resumed = checked(builder, no_cache=True)
        assert len(server.calls) == 80
    assert only(resumed).quality == only(whole).quality
    assert only(resumed).regressions == only(whole).regressions


def test_the_deadline_ends_the_run_with_an_error_and_a_report(tmp_path: Path) -> None:
    with serving(latency_s=0.2) as server:
        text = config(server, run={"deadline": "1s", "concurrency": 2})
        builder = shop(tmp_path, {**FILES, "promptci.yml": text})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert "deadline" in rules(outcome)


def test_slow_assertions_end_the_run_with_an_error_that_names_the_case(tmp_path: Path) -> None:
    """Each of them stays below the limit of a single assertion."""
    rows = [json.loads(line) for line in goldens(40).splitlines()]
    slow = "".join(json.dumps({**row, "assert": [{"type": "regex", "value": "(a|aa)+[bd]"}]}) + "\n" for row in rows)
    with serving(lambda _: "a" * 22 + "c") as server:
        text = config(server, run={"assertion_time": "0.2s"})
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: slow, "promptci.yml": text})
        # The change cannot raise its own limit.
        raised = config(server, run={"assertion_time": "1h"})
        builder.write({PROMPT: prompt(BETTER), "promptci.yml": raised}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    (problem,) = view(outcome).problems
    assert problem.rule == "assertion-time"
    assert "by `regex` (goldens/order.jsonl)" in problem.text


def test_the_budget_ends_the_run_with_an_error_and_a_report(tmp_path: Path) -> None:
    with serving() as server:
        prices = {"prices": {"fake-1": {"input_usd": 1000, "output_usd": 1000}}}
        text = config(server, run={"budget_usd": 0.5}, provider=prices)
        builder = shop(tmp_path, {**FILES, "promptci.yml": text})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("error", 4)
    assert "budget" in rules(outcome)
    assert 0 < (view(outcome).spend.usd or 0) <= 0.5


def test_prices_turn_into_cost_per_request_and_month_and_a_limit(tmp_path: Path) -> None:
    with serving() as server:
        prices = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 10}}}
        text = config(server, provider=prices, traffic={"requests_per_day": 1000})
        builder = shop(tmp_path, {**FILES, "promptci.yml": text})
        builder.write({PROMPT: prompt(BAD)}).commit()
        prompt_view = only(checked(builder))
    assert prompt_view.cost_usd.base_per_request == pytest.approx(20e-6)
    assert prompt_view.cost_usd.head_per_request == pytest.approx((20 + 50) / 2 * 1e-6 + 0.0, rel=0.3)
    assert prompt_view.cost_usd.delta_per_month == pytest.approx(
        ((prompt_view.cost_usd.head_per_request or 0) - 20e-6) * 30_000, rel=1e-6
    )


def test_a_dry_run_prints_the_plan_and_asks_nothing(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        environment, output = make_environment()
        outcome = check.check(CheckRequest(root=builder.path, out=tmp_path / "out", dry_run=True), environment)
    assert (outcome.view, outcome.exit_code, server.calls) == (None, 0, [])
    assert any("prompts: 1, cases: 60" in line for line in output)
    assert any("calls: 120" in line for line in output)
    assert not (tmp_path / "out").exists()


def test_one_revision_runs_without_a_comparison(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, gate={"min_quality": 0.8})})
        good = run.run(CheckRequest(root=builder.path, head="HEAD", out=tmp_path / "good"), make_environment()[0])
        builder.write({PROMPT: prompt(BAD)})
        bad = run.run(CheckRequest(root=builder.path, head=".", out=tmp_path / "bad"), make_environment()[0])
    assert (view(good).kind, view(good).base, good.exit_code) == ("run", None, 0)
    assert (view(bad).verdict, bad.exit_code) == ("fail", 1)


def test_several_repeats_are_compared_by_case(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"repeats": 2})})
        builder.write({PROMPT: prompt(BAD)}).commit()
        prompt_view = only(checked(builder))
    assert len(server.calls) == 240
    assert (prompt_view.pairs, prompt_view.verdict) == (60, "fail")
    assert prompt_view.quality is not None
    assert "sign-flip test over cases" in prompt_view.quality.method


def test_a_commit_that_is_not_there_is_said(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    with pytest.raises(GitError, match="no commit `nope`"):
        checked(builder, base="nope")


def test_a_dry_run_over_broken_files_says_so(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    builder.write({PROMPT: "x: [\n"}).commit()
    with pytest.raises(InputError):
        checked(builder, dry_run=True)


def test_both_versions_are_asked_side_by_side(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"concurrency": 1})})
        builder.write({PROMPT: prompt(BAD)}).commit()
        checked(builder)
    asked: list[Any] = [(c.last_user_message, c.body["messages"][0]["content"]) for c in server.calls]
    for first, other in zip(asked[::2], asked[1::2], strict=True):
        assert first[0] == other[0]
        assert {first[1], other[1]} == {GOOD, BAD}
    firsts = [first[1] for first in asked[::2]]
    assert 10 < firsts.count(GOOD) < 50


def test_a_secret_in_the_environment_is_nowhere_in_what_is_written(tmp_path: Path) -> None:
    secret = "sk-CANARY-0123456789abcdef"

    def leaky(call: Call) -> Reply | str:
        if "GH-1003" in call.last_user_message:
            return error(400, f"bad key {secret}")
        return f"{model(call)} {secret}"

    with serving(leaky) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        checked(builder, environ={"OPENAI_API_KEY": secret})
    for path in (tmp_path / "out").iterdir():
        assert secret.encode() not in path.read_bytes(), path.name


def test_answers_committed_into_the_cache_s_folder_are_not_used(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        checked(builder)
        builder.git("add", "--force", ".promptci")
        builder.commit()
        outcome = checked(builder, out=tmp_path / "again")
    assert len(server.calls) == 240
    assert any("not used" in note for note in view(outcome).notes)


def test_the_cache_keeps_itself_out_of_git(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)})
        checked(builder, head=".")
        again = checked(builder, head=".")
    assert ".promptci" not in builder.git("status", "--porcelain", "--untracked-files=all")
    assert view(again).spend.cached == 120


def test_a_misspelt_prompt_or_case_comes_with_the_nearest_one(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    with pytest.raises(UsageError, match=r"Did you mean `order`\?"):
        run.run(RunRequest(root=builder.path, out=tmp_path / "out", prompts=("ordr",)), make_environment()[0])
    with pytest.raises(UsageError, match=r"Did you mean `c001`\?"):
        run.run(RunRequest(root=builder.path, out=tmp_path / "out", cases=("cc001",)), make_environment()[0])


def test_a_commit_that_is_its_own_merge_base_is_not_said_to_be_unchanged(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        result = run_command(builder.path, ["check"], tmp_path / "out")
    assert "nothing was compared: the last commit is the merge base itself" in result.text
    assert "--base HEAD~1" in result.text
    assert "nothing that can change an answer was touched" not in result.text


def test_a_judge_that_only_the_change_sets_names_what_to_merge_first(tmp_path: Path) -> None:
    judged = goldens(5, **{"assert": [{"type": "judge"}]})
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD)}, server)
        settings = config(server, judge={"model": "fake-1", "rubric": "rubric.md"})
        builder.write({GOLDENS: judged, "promptci.yml": settings, "rubric.md": "Rate it."}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert (result.verdict, server.calls) == ("error", [])
    assert "the base revision's promptci.yml sets no judge, which decides about `order`" in result.text
    assert "Merge promptci.yml and rubric.md first" in result.text
