"""Memory over real repositories and a real server: what flips becomes known, what was cached adds nothing."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes.openai_server import Call
from fakes.repo import RepoBuilder
from support.daily import first_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    config,
    goldens,
    make_environment,
    only,
    prompt,
    serving,
    shop,
    view,
)

from promptci.app.requests import CheckRequest, RunResult
from promptci.cli.command_group import group
from promptci.errors import InputError, UsageError
from promptci.evaluation import check, run
from promptci.memory.store import Memory, Past
from promptci.usecases.reporting import memory, memory_lists, report
from promptci.usecases.reporting.memory import FeedbackRequest

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(20)}
BETTER = "Copy the order number, nothing else."
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Coin:
    """Copies the number, but answers GH-1003 right only every other time; under the prompt `steady`, always."""

    def __init__(self, steady: str | None = None) -> None:
        self.steady = steady
        self.asked: Counter[str] = Counter()

    def __call__(self, call: Call) -> str:
        result = re.search(r"GH-(\d+)", call.last_user_message)
        assert result is not None
        system = call.body["messages"][0]["content"]
        self.asked[system] += result[1] == "1003"
        return "no idea" if result[1] == "1003" and self.asked[system] % 2 and system != self.steady else result[0]


def ran(builder: RepoBuilder, day: int = 0, **request: Any) -> RunResult:
    """Check on the so-manieth day."""
    out = request.pop("out", builder.path.parent / f"out{day}")
    environment = replace(make_environment()[0], now=lambda: START + timedelta(days=day))
    return check.check(CheckRequest(root=builder.path, out=out, **request), environment)


def kept(builder: RepoBuilder, day: int = 30) -> Past:
    return Memory(builder.path / ".promptci" / "memory", today=(START + timedelta(days=day)).date()).read()


def changed(tmp_path: Path, server: Any, to: str = BETTER, **sections: Any) -> RepoBuilder:
    builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, **sections)})
    builder.write({PROMPT: prompt(to)}).commit()
    return builder


def test_a_verdict_is_kept_with_the_p_of_the_test_that_decided_it(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, run={"repeats": 3})
        quality = only(ran(builder)).quality
    assert quality is not None
    assert quality.on_goldens is not None
    assert quality.p != quality.on_goldens.p
    (verdict,) = kept(builder).verdicts
    assert verdict.p == quality.on_goldens.p


def test_a_case_that_flips_becomes_known_and_the_gate_stays_as_it_was(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server)
        runs = [ran(builder, day, no_cache=True) for day in range(3)]
    assert [[case.id for case in only(outcome).flaky.cases] for outcome in runs] == [[], [], ["c003"]]
    last = only(runs[2]).flaky
    assert [(case.passes, case.fails) for case in last.cases] == [(2, 2)]
    assert last.measured == 20
    assert last.discordance == pytest.approx(1 / 20)
    assert {only(outcome).pairs for outcome in runs} == {20}
    comment = (tmp_path / "out2" / "comment.md").read_text()
    assert "Flaky: 1 of 20 cases has flipped by itself in this run or earlier ones" in comment
    assert "c003 (right 2 of 4 times)" in comment
    assert "flipped by itself" in (tmp_path / "out2" / "summary.md").read_text()


def test_a_flaky_case_among_the_broken_ones_is_marked(tmp_path: Path) -> None:
    with serving(Coin(steady=GOOD)) as server:
        builder = changed(tmp_path, server)
        outcomes = [ran(builder, day, no_cache=True) for day in range(3)]
    assert [only(outcome).regressions for outcome in outcomes] == [["c003"], [], ["c003"]]
    assert "`c003` **flaky**, right → wrong" in (tmp_path / "out2" / "comment.md").read_text()
    assert "**flaky**" not in (tmp_path / "out0" / "comment.md").read_text()
    page = (tmp_path / "out2" / "report.html").read_text()
    assert page.count('<span class="label">flaky</span>') == 1


def test_answers_from_the_cache_add_nothing(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server)
        ran(builder)
        first = kept(builder)
        again = ran(builder, out=tmp_path / "again")
    assert view(again).spend.cached == 40
    assert len(first.cases) == 40
    assert kept(builder) == first


def test_a_shared_answer_is_counted_once(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server)})
        builder.write({GOLDENS: goldens(21)}).commit()
        ran(builder)
    assert Counter(case.case for case in kept(builder).cases).most_common(1)[0][1] == 1
    assert len(kept(builder).cases) == 21


def test_missing_answers_are_not_counted(tmp_path: Path) -> None:
    from fakes.openai_server import Reply, error

    coin = Coin()

    def failing(call: Call) -> Reply | str:
        return error(500, "no") if "GH-1007" in call.last_user_message else coin(call)

    with serving(failing) as server:
        builder = changed(tmp_path, server, gate={"max_error_rate": 0.5})
        ran(builder)
    assert "c007" not in {case.case for case in kept(builder).cases}
    assert len(kept(builder).cases) == 38


@pytest.mark.long
def test_replicates_of_one_run_show_a_flip_at_once(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, run={"repeats": 3})
        ran(builder)
        assert [case.id for case in only(ran(builder, out=tmp_path / "again")).flaky.cases] == ["c003"]
    assert {(case.passes, case.fails) for case in kept(builder).cases if case.case == "c003"} == {(1, 2)}


@pytest.mark.long
def test_answers_asked_because_the_versions_disagreed_are_kept_apart(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, run={"repeats": {"initial": 1, "on_disagreement": 3}})
        ran(builder)
    chosen = [case for case in kept(builder).cases if case.chosen]
    assert {case.case for case in chosen} == {f"c{i:03}" for i in range(1, 20, 2)}
    assert {case.passes + case.fails for case in chosen} == {2}
    assert {case.passes + case.fails for case in kept(builder).cases if not case.chosen} == {1}


def test_a_case_with_another_text_is_another_question(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, run={"repeats": 2})
        ran(builder)
        assert [case.id for case in only(ran(builder, 1, no_cache=True)).flaky.cases] == ["c003"]
        reworded = goldens(20).replace("where is GH-1003?", "GH-1003, where is it?")
        base = builder.write({GOLDENS: reworded}).commit()
        builder.write({PROMPT: prompt(BAD)}).commit()
        (own,) = only(ran(builder, 2, no_cache=True, base=base)).flaky.cases
        assert own.passes + own.fails == 4  # this run's own, and none of the four before


def test_with_another_judge_a_judged_case_is_another_question(tmp_path: Path) -> None:
    turn = Counter[str]()

    def judge(call: Call) -> str:
        if "Be kind" not in call.body["messages"][0]["content"]:
            return "hello"
        turn["asked"] += 1
        return json.dumps({"reason": "so it is", "score": 5 if turn["asked"] % 2 else 1})

    row = json.dumps({"id": "a", "vars": {"input": "hello?"}, "assert": [{"type": "judge"}]})
    files = {PROMPT: prompt(GOOD), GOLDENS: row, "judges/kind.md": "Be kind."}
    with serving(judge) as server:
        sections: dict[str, Any] = {"judge": {"model": "judge-1", "rubric": "judges/kind.md", "probes": 0}}
        builder = shop(tmp_path, {**files, "promptci.yml": config(server, **sections)})
        builder.write({PROMPT: prompt(BETTER)}).commit()
        ran(builder, no_cache=True)
        builder.git("switch", "--quiet", "main")
        builder.write({"judges/kind.md": "Be kind and short."}).commit()
        builder.git("switch", "--quiet", "-c", "other")
        builder.write({PROMPT: prompt(BETTER)}).commit()
        ran(builder, 1, no_cache=True)
    assert len({case.digest for case in kept(builder).cases}) == 2


@pytest.mark.long
def test_a_verdict_is_kept_once_however_often_it_is_reached(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, gate={"mode": "advise"})
        first, second = ran(builder), ran(builder, 1)
    (result,) = kept(builder).verdicts
    assert result.id == only(first).verdict_id == only(second).verdict_id
    assert (result.mode, result.verdict, result.blocks, result.rules) == ("advise", "fail", True, ("regression",))
    assert (result.prompt, result.pairs, result.broken, result.fixed, result.delta) == ("order", 20, 10, 0, -0.5)
    assert (result.head, result.at) == (builder.git("rev-parse", "HEAD"), "2026-01-02T03:04:05Z")
    assert result.quality_blocked
    assert None not in result.fingerprints
    assert result.fingerprints[0] != result.fingerprints[1]


def test_an_undecided_verdict_blocks_where_the_policy_says_so(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, gate={"on_inconclusive": "block"})
        ran(builder)
    assert [(verdict.verdict, verdict.blocks) for verdict in kept(builder).verdicts] == [("inconclusive", True)]


def test_a_run_of_one_revision_counts_cases_and_gives_no_verdict(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server)
        run.run(CheckRequest(root=builder.path, out=tmp_path / "out"), make_environment()[0])
    assert (len(kept(builder).cases), kept(builder).verdicts) == (20, ())


def test_a_dry_run_an_untouched_prompt_and_a_broken_file_leave_nothing(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server)
        ran(builder, dry_run=True)
        ran(builder, head="main")
        builder.write({GOLDENS: "{"}).commit()
        ran(builder)
    assert not (builder.path / ".promptci" / "memory").exists()


@pytest.mark.parametrize("off", first_daily([None, False]))
def test_without_a_memory_nothing_is_kept(tmp_path: Path, off: Any) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, run={"memory": off}, gate={"mode": "advise"})
        outcome = ran(builder)
    assert not (builder.path / ".promptci" / "memory").exists()
    assert view(outcome).precision is None
    assert only(outcome).verdict_id


def test_the_memory_keeps_itself_out_of_git_and_a_working_tree_s_own_is_used(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, run={"repeats": 2})
        builder.write({PROMPT: prompt(BETTER)})
        ran(builder, head=".")
        again = ran(builder, 1, head=".")
    assert ".promptci" not in builder.git("status", "--porcelain", "--untracked-files=all")
    assert [case.id for case in only(again).flaky.cases] == ["c003"]


def test_a_memory_in_git_is_not_used(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, run={"repeats": 2})
        ran(builder)
        builder.git("add", "--force", ".promptci/memory")
        builder.commit()
        before = kept(builder)
        outcome = ran(builder, 1)
    assert only(outcome).flaky.cases == []
    assert any("The memory in .promptci/memory was not used: " in note for note in view(outcome).notes)
    assert kept(builder) == before


@pytest.mark.long
def test_a_memory_behind_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with serving() as server:
        builder = changed(tmp_path, server, run={"cache": None})
        builder.link(".promptci", str(tmp_path / "elsewhere"))
        outcome = ran(builder)
    assert view(outcome).notes == ["The memory in .promptci/memory was not used: `.promptci` is a symbolic link."]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_memory_that_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, run={"memory": "promptci.yml/kept"})
        outcome = ran(builder)
    assert (view(outcome).verdict, outcome.exit_code) == ("fail", 1)
    note = "The memory in promptci.yml/kept was not used: `promptci.yml` is not a folder."
    assert view(outcome).notes == [note]
    assert "`promptci.yml` is not a folder" in (tmp_path / "out0" / "comment.md").read_text()


@pytest.mark.long
def test_damaged_lines_are_one_note_in_the_report(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server)
        ran(builder)
        (file,) = (builder.path / ".promptci" / "memory").glob("cases-*.jsonl")
        file.write_text("x\ny\n" + file.read_text())
        outcome = ran(builder, 1)
    (note,) = view(outcome).notes
    assert note == ".promptci/memory: 2 damaged lines were skipped; the first is cases-2026-01-02.jsonl:1."


def test_a_report_drawn_again_is_not_counted_again(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        first = ran(builder)
    before = kept(builder)
    journal = tmp_path / "out0" / "journal.jsonl"
    drawn = report.redraw_report(journal, tmp_path / "redrawn", builder.path, make_environment()[0])
    assert only(drawn).verdict_id == only(first).verdict_id
    assert kept(builder) == before


def test_recorded_answers_show_nothing_new_but_give_a_verdict(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        ran(builder, record=tmp_path / "answers.jsonl", out=tmp_path / "recording")
    recorded = {"kind": "recorded", "path": str(tmp_path / "answers.jsonl")}
    other = shop(tmp_path / "other", {**FILES, "promptci.yml": config(provider=recorded)})
    other.write({PROMPT: prompt(BAD)}).commit()
    ran(other)
    assert (len(kept(other).verdicts), kept(other).cases) == (1, ())


def test_a_secret_in_an_answer_s_model_name_or_a_case_id_is_not_kept(tmp_path: Path) -> None:
    secret = "sk-CANARY-0123456789abcdef"
    with serving() as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(1, id=f"x{secret}"), "promptci.yml": config(server)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        environment = replace(make_environment(OPENAI_API_KEY=secret)[0], now=lambda: START)
        check.check(CheckRequest(root=builder.path, out=tmp_path / "out"), environment)
    files = list((builder.path / ".promptci" / "memory").glob("*.jsonl"))
    assert len(files) == 2
    assert not [file for file in files if secret in file.read_text()]


def archive(builder: RepoBuilder) -> memory.MemoryStore:
    return memory.open_store(builder.path, "promptci.yml", START)


def judge(builder: RepoBuilder, name: str, label: Any, reason: str = "read them", **environ: str) -> str:
    request = FeedbackRequest(verdict_id=name, label=label, why=reason, now=START, environ=environ)
    return memory.label_verdict(archive(builder), request).sentence


def test_people_judge_verdicts_and_the_next_report_says_how_often_the_gate_was_right(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD, gate={"mode": "advise"})
        first = ran(builder)
        name = only(first).verdict_id
        assert name is not None
        comment = (tmp_path / "out0" / "comment.md").read_text()
        assert "No earlier verdict would have blocked." in comment
        assert (
            f"blocking order would have been correct: `promptci memory label {name} correct --why 'how you know'`"
            in comment
        )
        second = ran(builder, 1)
        assert "none is labelled yet" in (tmp_path / "out1" / "comment.md").read_text()
        assert judge(builder, name[:4], "incorrect", USER="bo") == f"{name} (order: fail) is labelled incorrect."
        judge(builder, name, "correct", "the   answers\nare chatty", GITHUB_ACTOR="ann", USER="bo")
        third = ran(builder, 2)
    assert (first.exit_code, second.exit_code) == (0, 0)
    result = view(third).precision
    assert result is not None
    assert (result.verdicts, result.labelled, result.correct) == (1, 1, 1)
    message = (
        "Of 1 verdict that would have blocked, 1 labelled by people: 1 correct (100%, 95% interval 20.7% to 100%)."
    )
    assert message in (tmp_path / "out2" / "report.html").read_text()
    for name_ in ("comment.md", "summary.md"):
        assert message in (tmp_path / "out2" / name_).read_text().replace("\\", "")
    lines = list(memory_lists.precision_lines(memory_lists.measure_precision(kept(builder))))
    assert lines[:2] == [message, f"  regression: {message}"]
    (row,) = memory_lists.verdict_lines(memory_lists.list_verdicts(kept(builder), blocking_only=True))
    assert row.startswith(f"{name}  2026-01-02T03:04:05Z  advise  order: fail (regression, −50 points, 10 broken")
    assert ", unadjusted p" in row  # the verdict goes by the adjusted one
    assert row.endswith("; labelled correct by ann: the answers are chatty")


@pytest.mark.parametrize(
    ("name", "reason", "message"),
    first_daily(
        [("nothing", "x", "there is no verdict `nothing`"), ("", "x", "no verdict"), ("ID", "  ", "--why is empty")]
    ),
)
def test_a_judgement_of_nothing_or_without_a_reason_is_refused(
    tmp_path: Path, name: str, reason: str, message: str
) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        outcome = ran(builder)
    with pytest.raises(UsageError, match=re.escape(message)):
        judge(builder, name.replace("ID", only(outcome).verdict_id or ""), "correct", reason)
    assert kept(builder).feedback == ()


def test_the_beginning_of_two_names_is_refused(tmp_path: Path) -> None:
    from support.memory_records import verdict

    builder = shop(tmp_path, {"promptci.yml": config()})
    archive(builder).write([verdict("ab1"), verdict("ab2")])
    with pytest.raises(UsageError, match="2 verdicts begin with `ab`"):
        judge(builder, "ab", "correct")


@pytest.mark.long
def test_reports_of_elsewhere_are_taken_in_once(tmp_path: Path) -> None:
    with serving(Coin()) as server:
        builder = changed(tmp_path, server, run={"repeats": 2})
        ran(builder)
        ran(builder, 1, no_cache=True)
    here = shop(tmp_path / "here", {**FILES, "promptci.yml": config()})
    reports = [tmp_path / f"out{day}" / "report.json" for day in (0, 1)]
    first = memory.add_reports(archive(here), reports)
    again = memory.add_reports(archive(here), [*reports, *reports])
    past = kept(builder)
    assert (len(first.verdicts), first.cases, first.duplicates) == (1, 80, 1)  # both runs found the same
    assert (again.verdicts, again.cases) == ([], 0)
    assert again.duplicates > 0
    assert set(kept(here).cases) == set(past.cases)
    assert kept(here).verdicts == past.verdicts
    flaky = memory_lists.find_flaky_cases(past)
    assert memory_lists.find_flaky_cases(kept(here)) == flaky
    assert "  c003: passed 4 of 8 times, the rarer outcome 50%" in memory_lists.flaky_lines(flaky)


def test_a_report_of_an_earlier_version_of_this_program_gives_its_verdict(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        ran(builder)
    file = tmp_path / "out0" / "report.json"
    value = json.loads(file.read_text())
    del value["precision"]
    for prompt_value in value["prompts"]:
        for key in ("verdict_id", "base_fingerprint", "head_fingerprint", "flaky"):
            del prompt_value[key]
        for case in prompt_value["case_details"]:
            for key in ("digest", "flaky", "tallies", "excluded_reason"):
                del case[key]
    file.write_text(json.dumps(value))
    here = shop(tmp_path / "here", {**FILES, "promptci.yml": config()})
    added = memory.add_reports(archive(here), [file])
    assert (len(added.verdicts), added.cases, added.sentence) == (1, 0, "1 verdict and 0 case results added.")


def test_what_is_no_report_does_not_keep_the_others_out(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        ran(builder)
    good = tmp_path / "out0" / "report.json"
    value = json.loads(good.read_text())
    value["prompts"][0]["case_details"][0]["tallies"][0]["passes"] = -5
    (tmp_path / "forged.json").write_text(json.dumps(value))
    (tmp_path / "none.json").write_text("{}")
    here = shop(tmp_path / "here", {**FILES, "promptci.yml": config()})
    sources = [tmp_path / "forged.json", tmp_path / "gone.json", tmp_path / "none.json", good]
    added = memory.add_reports(archive(here), sources)
    assert (len(added.verdicts), added.cases) == (1, 40)
    assert [Path(problem.path).name for problem in added.problems] == ["forged.json", "gone.json", "none.json"]
    assert kept(here).notes == ()


def test_old_reports_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        ran(builder)
    later = memory.open_store(builder.path, "promptci.yml", START + timedelta(days=200))
    added = memory.add_reports(later, [tmp_path / "out0" / "report.json"])
    assert added.sentence == "0 verdicts and 0 case results added, 41 older than 180 days skipped."


def test_a_repository_without_a_memory_says_so(tmp_path: Path) -> None:
    builder = shop(tmp_path, {"promptci.yml": config(run={"memory": False})})
    with pytest.raises(UsageError, match="turns the memory off"):
        archive(builder)


def test_the_commands_do_what_they_say(tmp_path: Path) -> None:
    with serving() as server:
        builder = changed(tmp_path, server, BAD)
        outcome = ran(builder)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # the commands' clock is the real one
    file = tmp_path / "out0" / "report.json"
    file.write_text(file.read_text().replace("2026-01-02T03:04:05Z", now))
    here = shop(tmp_path / "here", {**FILES, "promptci.yml": config()})

    def called(*words: str) -> str:
        shown = CliRunner().invoke(group, ["memory", *words, "--repo", str(here.path)], standalone_mode=False)
        if shown.exception is not None:
            raise shown.exception
        return shown.output

    name = only(outcome).verdict_id or ""
    assert called("list") == "There are no verdicts yet.\n"
    assert called("flaky") == "No answers have been counted yet.\n"
    assert called("precision") == "No earlier verdict would have blocked.\n"
    assert called("add", str(file)) == "1 verdict and 40 case results added.\n"
    assert name in called("list", "--advised")
    assert f"Not labelled yet: {name}" in called("precision")
    assert called("label", name, "correct", "--why", "chatty") == f"{name} (order: fail) is labelled correct.\n"
    assert "1 labelled by people: 1 correct" in called("precision")
    assert called("flaky").startswith("order: 0 flaky cases; no case was asked twice")
    with pytest.raises(InputError):
        called("add", str(tmp_path / "gone.json"))
