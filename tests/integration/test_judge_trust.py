"""A judge measured by people's labels in whole runs: what it may do, what it is asked, and by which files."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes.openai_server import Call, OpenAIServer, Reply, error
from fakes.repo import RepoBuilder
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
    only,
    prompt,
    serving,
    shop,
)

from promptci.app.requests import CheckRequest, RunResult
from promptci.cli.command_group import group
from promptci.evaluation import check, run
from promptci.report.model.judge import JudgeView
from promptci.report.model.judge_calibration import CalibrationDocument
from promptci.usecases.reporting import report

LABELS = "goldens/order.labels.jsonl"
EVALUATOR = """\
evaluators:
  - name: short
    llm:
      modelId: {model}
      prompt: "{ask} {{{{completion}}}}"
      choices: [{{choice: good, score: 1}}, {{choice: poor, score: 0}}]
"""
ASK = "Is this short?"
EVALUATED = EVALUATOR.format(model="judge-1", ask=ASK)
JUDGED = 24


def cases(*assertions: Mapping[str, Any], count: int = JUDGED) -> str:
    """Cases without an expectation; those without assertions are marked by the prompt's evaluator alone."""
    options = {"assert": assertions} if assertions else {}
    rows = [{"id": f"c{i:03}", "vars": {"input": f"where is GH-{1000 + i}?"}, **options} for i in range(count)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def labels(count: int = 60, *, wrong: int = 0, start: int = 0) -> str:
    """People pass short answers and fail long ones; of the first `wrong` they say the opposite."""
    rows = [
        {
            "id": f"c{i % JUDGED:03}",
            "answer": f"GH-{9000 + start + i}" if i % 2 else f"Sure! It is GH-{9000 + start + i}, my dear.",
            "pass": bool(i % 2) is (i >= wrong),
        }
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def model(call: Call) -> Reply | str:
    """Copies the number, chats where it is told to; as a judge calls answers good that hold no `Sure`."""
    if call.body["model"].startswith("judge"):
        return "poor" if "Sure" in call.last_user_message else "good"
    number = call.last_user_message.split()[-1].rstrip("?")
    return f"Sure! It is {number}." if "chatty" in call.body["messages"][0]["content"] else number


def judged(server: OpenAIServer) -> list[Call]:
    return [call for call in server.calls if call.body["model"].startswith("judge")]


Files = Mapping[str, str | bytes | None]


def repo(path: Path, server: OpenAIServer, files: Files | None = None, **sections: Any) -> RepoBuilder:
    """A repository whose prompt is marked by a judge that has labels; None in `files` takes one away."""
    start: dict[str, str | bytes | None] = {
        PROMPT: prompt(GOOD, extra=EVALUATED),
        GOLDENS: cases(),
        LABELS: labels(),
        # The judge here calls good what is short, and useless answers are: canaries have tests of their own.
        "promptci.yml": config(server, **{**sections, "judge": {"probes": 0, **sections.get("judge", {})}}),
        **(files or {}),
    }
    return shop(path, {name: text for name, text in start.items() if text is not None})


def judge_of(outcome: RunResult) -> JudgeView:
    result = only(outcome).judge
    assert result is not None
    return result


def rules(outcome: RunResult) -> set[str]:
    return {reason.rule for reason in only(outcome).findings}


def chatty(builder: RepoBuilder, extra: str = EVALUATED, files: Mapping[str, str | bytes] | None = None) -> RunResult:
    builder.write({PROMPT: prompt(BAD, extra=extra), **(files or {})}).commit()
    return checked(builder)


def test_a_judge_that_agrees_with_people_blocks(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server))
    judge = judge_of(outcome)
    assert (outcome.exit_code, only(outcome).verdict) == (1, "fail")
    assert judge.trusted
    assert judge.calibration is not None
    assert (judge.calibration.labels, judge.calibration.kappa) == (60, 1.0)
    assert judge.base is not None
    assert judge.head is not None
    assert (judge.base.passed, judge.head.passed) == (1.0, 0.0)
    assert "of another kind" in (judge.head.uncorrected_reason or "")


def test_a_judge_that_does_not_informs_and_does_not_block(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: labels(wrong=28)}))
    prompt_view = only(outcome)
    assert (outcome.exit_code, prompt_view.verdict, prompt_view.quality) == (0, "inconclusive", None)
    assert rules(outcome) == {"all-excluded", "cost", "judge-not-trusted"}
    assert (
        "Cannot be decided: none of its 24 cases counts. The judge is not trusted: it agrees with people hardly more"
        in prompt_view.findings[0].text
    )
    case = prompt_view.case_details[0]
    assert case.base is not None
    assert case.head is not None
    assert case.excluded_reason is not None
    marks = [(mark.passed, mark.advisory) for mark in (*case.base.marks, *case.head.marks)]
    assert (marks, case.head.error, prompt_view.errors) == ([(True, True), (False, True)], None, 0)
    comment = (tmp_path / "out" / "comment.md").read_text(encoding="utf-8")
    assert (
        "The judge of `order`.** It is not trusted: it agrees with people hardly more than chance (kappa 0.07"
        in comment
    )
    assert "without an answer" not in comment
    assert "<skipped" in (tmp_path / "out" / "junit.xml").read_text(encoding="utf-8")


def test_what_code_marks_decides_beside_a_judge_that_is_not_trusted(tmp_path: Path) -> None:
    files = {LABELS: labels(wrong=28), GOLDENS: goldens(60, **{"assert": [{"type": "equals"}]})}
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, files))
    assert (outcome.exit_code, only(outcome).verdict) == (1, "fail")
    assert {"regression", "judge-not-trusted"} <= rules(outcome)
    quality = only(outcome).quality
    assert quality is not None
    assert quality.measure == "pass rate"


@pytest.mark.parametrize(
    ("count", "message"),
    first_daily(
        [
            (49, "there are 49 labels, and 50 are needed"),
            (10, "there are 10 labels, and 50 are needed"),
            (0, "there are 0 labels"),
        ]
    ),
)
def test_too_few_labels_are_no_ground_for_trust(tmp_path: Path, count: int, message: str) -> None:
    row = json.dumps({"id": "gone", "answer": "x", "pass": True}) if count == 0 else ""
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: labels(count) + row}))
    assert message in judge_of(outcome).reasons[0]


def test_a_judge_without_any_usable_score_is_an_error_with_labels_too(tmp_path: Path) -> None:
    def silent(call: Call) -> Reply | str:
        return "hm" if call.body["model"].startswith("judge") else model(call)

    with serving(silent) as server:
        outcome = chatty(repo(tmp_path, server))
    assert (outcome.exit_code, only(outcome).verdict) == (4, "error")
    assert "nothing-evaluated" in rules(outcome)


@pytest.mark.long
def test_a_judge_that_was_mended_is_heard_although_its_old_replies_are_cached(tmp_path: Path) -> None:
    mumbling = [True]

    def mumble(call: Call) -> Reply | str:
        return "hm" if mumbling and call.body["model"].startswith("judge") else model(call)

    with serving(mumble) as server:
        builder = repo(tmp_path, server, {LABELS: None})
        first = chatty(builder)
        mumbling.clear()
        outcome = checked(builder)
        calls = len(server.calls)
        again = checked(builder)
    assert [only(each).verdict for each in (first, outcome, again)] == ["error", "fail", "fail"]
    assert len(server.calls) == calls


def test_without_labels_the_judge_counts_and_that_nobody_checked_it_is_said(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: None}))
        asked = judged(server)
    assert (outcome.exit_code, judge_of(outcome).trusted, judge_of(outcome).calibration) == (1, True, None)
    assert "judge-not-calibrated" in rules(outcome)
    assert len(asked) == 2 * JUDGED


def test_a_label_on_the_very_answer_is_asked_once(tmp_path: Path) -> None:
    row = json.dumps({"id": "c000", "answer": "GH-1000", "pass": True}) + "\n"
    with serving(model) as server:
        chatty(repo(tmp_path, server, {LABELS: labels() + row}))
        keys = [json.dumps(call.body["messages"]) for call in judged(server)]
    assert len(keys) == len(set(keys))
    assert sum("GH-1000" in key and "Sure" not in key for key in keys) == 1


def test_both_versions_are_marked_by_one_judge(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server))
    marks = [
        mark.judge
        for case in only(outcome).case_details
        for answer in (case.base, case.head)
        if answer is not None
        for mark in answer.marks
    ]
    assert len(marks) == 2 * JUDGED
    assert {*marks} == {*judge_of(outcome).identities}
    assert len(judge_of(outcome).identities) == 1


def test_base_s_evaluator_decides_where_the_change_edits_it(tmp_path: Path) -> None:
    """It is what the labels measure; the edited one marks both versions too, in cases that do not count."""
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server), extra=EVALUATOR.format(model="judge-2", ask="Is this brief?"))
        asked = Counter((call.body["model"], call.last_user_message[:14]) for call in judged(server))
    assert asked == {("judge-1", "Is this short?"): 60 + 2 * JUDGED, ("judge-2", "Is this brief?"): 2 * JUDGED}
    prompt_view = only(outcome)
    assert (outcome.exit_code, prompt_view.verdict, prompt_view.pairs) == (1, "fail", JUDGED)
    assert {"regression", "goldens-weakened"} <= rules(outcome)
    calibration = judge_of(outcome).calibration
    assert calibration is not None
    assert calibration.labels == 60


@pytest.mark.long
def test_a_judge_that_is_the_candidate_is_remarked_on(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server), extra=EVALUATOR.format(model="fake-1", ask=ASK))
    assert "judge-is-candidate" in rules(outcome)
    with serving(model) as server:
        outcome = chatty(repo(tmp_path / "other", server))
    assert "judge-is-candidate" not in rules(outcome)


# A change does not relax its own judge.


@pytest.mark.parametrize("before", first_daily([labels(wrong=28), None]), ids=["other labels", "no labels"])
def test_labels_that_the_change_brings_count_from_when_they_are_merged(tmp_path: Path, before: str | None) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: before})
        outcome = chatty(builder, files={LABELS: labels(start=500)})
    assert outcome.view is not None
    assert f"This change edits {LABELS}. It counts from when it is merged." in outcome.view.notes
    assert judge_of(outcome).trusted is (before is None)
    assert (judge_of(outcome).calibration is None) is (before is None)


def test_labels_that_the_change_takes_away_still_count(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: labels(wrong=28)}).remove(LABELS)
        outcome = chatty(builder)
    assert outcome.view is not None
    assert f"This change edits {LABELS}. It counts from when it is merged." in outcome.view.notes
    assert not judge_of(outcome).trusted


def test_labels_are_not_shed_by_a_new_name(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: labels(wrong=28)})
        builder.git("mv", PROMPT, "prompts/parcel.prompt.yml")
        builder.git("mv", GOLDENS, "goldens/parcel.jsonl")
        builder.commit("rename")
        builder.write({"prompts/parcel.prompt.yml": prompt(GOOD + " Now.", extra=EVALUATED)}).commit()
        outcome = checked(builder)
    assert not judge_of(outcome).trusted


def test_the_kappa_asked_for_is_base_s(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: labels(wrong=28)})
        outcome = chatty(builder, files={"promptci.yml": config(server, judge={"trust": {"min_kappa": 0.01}})})
    assert (judge_of(outcome).trusted, judge_of(outcome).min_kappa) == (False, 0.6)


def test_a_lower_kappa_that_base_asks_for_is_enough(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: labels(wrong=28)}, judge={"trust": {"min_kappa": 0.05}}))
    assert judge_of(outcome).trusted


def test_where_base_has_no_configuration_head_s_labels_count(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD, extra=EVALUATED), GOLDENS: cases()})
        outcome = chatty(builder, files={"promptci.yml": config(server), LABELS: labels()})
    result = judge_of(outcome).calibration
    assert result is not None
    assert result.labels == 60


def test_labels_with_a_mistake_are_refused_before_they_are_merged(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server), files={LABELS: labels() + '{"id": "c001", "answer": "x"}\n'})
    assert (outcome.exit_code, len(server.calls)) == (4, 0)
    assert "order.labels.jsonl:61: `pass` is missing" in str(outcome.problems[0])


def test_labels_that_cannot_be_read_at_base_are_no_ground_for_trust(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: "not json\n"}))
    assert judge_of(outcome).reasons == ["its labels cannot be read"]
    assert any("order.labels.jsonl:1" in note for note in only(outcome).notes)
    assert only(outcome).verdict == "inconclusive"


def test_labels_of_unknown_cases_are_named_and_not_used(tmp_path: Path) -> None:
    rows = [
        {"id": "gone", "answer": "x", "pass": True},
        {"id": "old", "vars": {"input": "where is GH-1?"}, "answer": "GH-1", "pass": True},
        {"id": "c001", "vars": {"message": "hi"}, "answer": "GH-2", "pass": True},
    ]
    with serving(model) as server:
        builder = repo(
            tmp_path,
            server,
            {
                LABELS: labels() + "".join(json.dumps(row) + "\n" for row in rows),
                PROMPT: prompt(GOOD, extra=EVALUATOR.format(model="judge-1", ask="Asked {{input}}")),
            },
        )
        outcome = chatty(builder, extra=EVALUATOR.format(model="judge-1", ask="Asked {{input}}"))
    result = judge_of(outcome).calibration
    assert result is not None
    assert result.labels == 61
    (note,) = [note for note in only(outcome).notes if "labels" in note]
    assert note.endswith("do not exist or are not judged were not used: gone (line 61) and c001 (line 63).")


def test_a_prompt_that_no_judge_marks_has_none(tmp_path: Path) -> None:
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {GOLDENS: goldens(40), PROMPT: prompt(GOOD)}), extra="")
    assert only(outcome).judge is None
    assert judged(server) == []


def test_a_judge_without_a_rubric_is_nobody(tmp_path: Path) -> None:
    row = cases({"type": "judge"}, {"type": "length", "max": 99})
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {GOLDENS: row, PROMPT: prompt(GOOD)}), extra="")
    assert only(outcome).judge is None


def test_a_rubric_is_measured_like_an_evaluator(tmp_path: Path) -> None:
    def graded(call: Call) -> Reply | str:
        if call.body["model"] != "judge-1":
            return model(call)
        message = call.body["messages"][2]["content"]
        return json.dumps({"reason": "length", "score": 1 if "Sure" in message else 5})

    files = {
        GOLDENS: cases({"type": "judge"}),
        PROMPT: prompt(GOOD),
        "judges/short.md": "Be short.",
    }
    with serving(graded) as server:
        builder = repo(tmp_path, server, files, judge={"model": "judge-1", "rubric": "judges/short.md"})
        outcome = chatty(builder, extra="")
    assert (judge_of(outcome).trusted, only(outcome).verdict) == (True, "fail")
    assert judge_of(outcome).identities[0].startswith("judge-1 sha256:")


@pytest.mark.long
def test_an_early_stop_by_code_keeps_what_is_to_be_known_of_the_judge(tmp_path: Path) -> None:
    files = {LABELS: labels(wrong=28), GOLDENS: goldens(60, **{"assert": [{"type": "equals"}]})}
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, files, run={"early_stop": True, "concurrency": 4}))
    assert only(outcome).verdict == "fail"
    assert {"early-stop", "judge-not-trusted", "regression"} <= rules(outcome)


@pytest.mark.long
def test_a_doubted_judge_stops_nothing_early_by_failing_cases(tmp_path: Path) -> None:
    """Were its marks counted on the way, the run would stop with a failure that the report then could not show."""
    with serving(model) as server:
        outcome = chatty(repo(tmp_path, server, {LABELS: labels(wrong=28)}, run={"early_stop": True}))
    assert (outcome.exit_code, only(outcome).verdict) == (0, "inconclusive")
    assert {"all-excluded", "judge-not-trusted"} <= rules(outcome)


def test_a_run_of_one_revision_measures_too(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: labels(wrong=28)})
        outcome = run.run(CheckRequest(root=builder.path, out=tmp_path / "out"), make_environment()[0])
    assert not judge_of(outcome).trusted
    assert only(outcome).verdict == "inconclusive"


def test_a_broken_labels_file_stops_a_run_of_one_revision(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, {LABELS: "[]\n"})
        outcome = run.run(CheckRequest(root=builder.path, out=tmp_path / "out"), make_environment()[0])
    assert (outcome.exit_code, len(server.calls)) == (4, 0)


def test_the_price_of_the_labels_is_said_beforehand(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server)
        builder.write({PROMPT: prompt(BAD, extra=EVALUATED)}).commit()
        environment, output = make_environment()
        check.check(CheckRequest(root=builder.path, out=tmp_path / "out", dry_run=True), environment)
    assert output[-1] == "60 labelled answers for the judge: 60 calls, price unknown"


@pytest.mark.long
def test_a_report_drawn_from_the_journal_knows_the_judge(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server)
        first = chatty(builder)
        asked = len(server.calls)
        again = report.redraw_report(
            tmp_path / "out" / "journal.jsonl", tmp_path / "again", builder.path, make_environment()[0]
        )
        assert len(server.calls) == asked
    assert judge_of(again) == judge_of(first)


def test_a_run_without_a_provider_says_nothing_about_its_judge(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, provider={"base_url": "https://api.example.com/v1"})
        outcome = chatty(builder)
    assert (outcome.exit_code, only(outcome).judge) == (4, None)


# promptci judge calibrate


def calibrated(builder: RepoBuilder, *arguments: str) -> tuple[int, str]:
    """Call the command; gives its exit code and what it said."""
    out = builder.path.parent / "judge"
    words = ["judge", "calibrate", "--repo", str(builder.path), "--out", str(out), *arguments]
    shown = CliRunner().invoke(group, words, standalone_mode=False)
    if shown.exception is not None:
        return getattr(shown.exception, "exit_code", -1), str(shown.exception)
    return shown.return_value, shown.output


def test_the_command_measures_and_writes_down(tmp_path: Path) -> None:
    with serving(model) as server:
        code, message = calibrated(repo(tmp_path, server))
        asked = server.calls
    assert code == 0
    assert len(asked) == len(judged(server)) == 60
    assert "order: It agrees with people well enough: kappa 1.00" in message
    assert "Both fail: 30" in message
    assert "with 200 labels about ±" in message
    written = json.loads((tmp_path / "judge" / "calibration.json").read_text(encoding="utf-8"))
    assert written["schema"] == CalibrationDocument.schema_id()
    assert written["prompts"]["order"]["calibration"]["passed_by_both"] == 30


def test_the_command_fails_where_a_judge_is_not_trusted(tmp_path: Path) -> None:
    with serving(model) as server:
        code, message = calibrated(repo(tmp_path, server, {LABELS: labels(wrong=28)}), "--prompt", "order")
    assert code == 1
    assert (
        "order: It is not trusted: it agrees with people hardly more than chance (kappa 0.07 with 60 labels" in message
    )


def test_the_command_says_its_price_and_asks_nothing(tmp_path: Path) -> None:
    with serving(model) as server:
        code, message = calibrated(repo(tmp_path, server), "--dry-run")
        assert server.calls == []
    assert (code, message.strip()) == (0, "60 labelled answers for the judge: 60 calls, price unknown")
    assert not (tmp_path / "judge").exists()


def test_the_command_takes_marks_from_the_cache(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server)
        calibrated(builder)
        calibrated(builder)
        assert len(server.calls) == 60
        calibrated(builder, "--no-cache")
        assert len(server.calls) == 2 * 60


@pytest.mark.parametrize(
    ("files", "arguments", "code", "message"),
    [
        ({}, ["--prompt", "odrer"], 2, "There is no prompt `odrer`. There are: order."),
        ({LABELS: ""}, [], 2, "No judged prompt has labels."),
        ({PROMPT: prompt(GOOD), GOLDENS: goldens(2)}, ["--prompt", "order"], 2, "has no judge, or no labels."),
        ({LABELS: "{}\n"}, [], 2, "order.labels.jsonl:1: `answer` is missing"),
        ({PROMPT: prompt(GOOD), GOLDENS: cases({"type": "judge"})}, [], 2, "no judge to be measured"),
    ],
    ids=["no prompt", "no labels", "no judge", "broken labels", "no rubric"],
)
def test_the_command_refuses_what_it_cannot_work_with(
    tmp_path: Path, files: Files, arguments: list[str], code: int, message: str
) -> None:
    with serving(model) as server:
        result = calibrated(repo(tmp_path, server, files), *arguments)
    assert result[0] == code
    assert message in result[1]


def test_the_command_ends_in_an_error_where_the_judge_cannot_be_asked(tmp_path: Path) -> None:
    with serving(lambda _: error(401, "no")) as server:
        code, message = calibrated(repo(tmp_path, server))
    assert code == 4
    assert "order: the judge marked none of the 60 labels: the judge's call failed" in message


def test_the_command_ends_in_an_error_without_a_key(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = repo(tmp_path, server, provider={"base_url": "https://api.example.com/v1", "api_key_env": "NO_KEY"})
        code, _ = calibrated(builder)
    assert code == 4


def test_a_budget_holds_for_labels(tmp_path: Path) -> None:
    prices = {"judge-1": {"input_usd": 1000, "output_usd": 1000}}
    with serving(model) as server:
        builder = repo(tmp_path, server, provider={"prices": prices}, run={"budget_usd": 0.1})
        code, message = calibrated(builder)
        assert server.calls == []
    assert code == 4
    assert "run.budget_usd" in message
