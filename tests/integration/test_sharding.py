"""A run that is split over several machines: each part by itself, and what the merge makes of them."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, Reply, error
from fakes.repo import RepoBuilder
from support.daily import first_daily, some_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    prompt,
    serving,
    shop,
)

from promptci.app.requests import CheckRequest, RunResult
from promptci.errors import GitError, InputError, ProviderError, UsageError
from promptci.evaluation import check, run
from promptci.pipeline.shard import Shard
from promptci.report.write import OUTPUTS
from promptci.shards.shard_run import RECORD
from promptci.usecases.reporting import merge

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}
PRICES = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}
JUDGED = """\
evaluators:
  - name: short
    llm:
      modelId: judge-1
      prompt: "Is this short? {{completion}}"
      choices: [{choice: good, score: 1}, {choice: poor, score: 0}]
"""
LABELS = "".join(
    json.dumps({"id": f"c{i:03}", "answer": f"GH-{9000 + i}" if i % 2 else f"Sure! GH-{9000 + i}", "pass": bool(i % 2)})
    + "\n"
    for i in range(30)
)


def model(call: Call) -> Reply | str:
    """Copies the number, chats where it is told to; as a judge calls answers good that hold no `Sure`."""
    if call.body["model"] == "judge-1":
        return "poor" if "Sure" in call.last_user_message or "Bla" in call.last_user_message else "good"
    number = call.last_user_message.split()[-1].rstrip("?")
    chatty = "chatty" in call.body["messages"][0]["content"] and int(number[3:]) % 2
    return f"Sure! It is {number}." if chatty else number


def recorded(path: Path, files: dict[str, str], head: dict[str, str], **sections: Any) -> RepoBuilder:
    """Return a repository with a branch whose answers are all in a recording."""
    answers = path / "answers.jsonl"
    sections["run"] = {"memory": None, **sections.get("run", {})}  # the second run would tell of the first
    with serving(model) as server:
        first = shop(path / "recording", {**files, "promptci.yml": config(server, **sections)})
        first.write(head).commit()
        checked(first, out=path / "recording" / "out", record=answers)
    provider = {"kind": "recorded", "path": str(answers), **PRICES}
    builder = shop(path, {**files, "promptci.yml": config(provider=provider, **sections)})
    builder.write(head).commit()
    return builder


def split(
    builder: RepoBuilder, count: int, *, again: Callable[..., RunResult] = check.check, **request: Any
) -> list[Path]:
    """Run every shard and give their folders."""
    folders = [builder.path.parent / "shards" / f"s{index}" for index in range(1, count + 1)]
    for index, folder in enumerate(folders, start=1):
        part = CheckRequest(root=builder.path, out=folder, shard=Shard(index=index, count=count), **request)
        outcome = again(part, make_environment()[0])
        assert (outcome.exit_code, outcome.view) == (0, None)
    return folders


def join_shards(folders: Sequence[Path], builder: RepoBuilder) -> RunResult:
    request = CheckRequest(root=builder.path, out=builder.path.parent / "merged")
    return merge.merge_standalone(folders, request, make_environment()[0])


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "repeats": {"run": {"repeats": {"initial": 2}}},
    "adaptive": {"run": {"repeats": {"initial": 1, "on_disagreement": 3}}},
    "budget": {"run": {"budget_usd": 5}},
}


@pytest.mark.parametrize(
    ("kind", "count"),
    first_daily([("adaptive", 7), ("plain", 3), ("repeats", 2), ("adaptive", 1), ("budget", 4)]),
)
def test_the_merge_writes_the_bytes_of_the_unsplit_run(tmp_path: Path, kind: str, count: int) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)}, **RUNS[kind])
    whole = checked(builder)

    outcome = join_shards(split(builder, count), builder)

    assert (outcome.exit_code, whole.exit_code) == (1, 1)
    assert outputs(tmp_path / "merged") == outputs(tmp_path / "out")


@pytest.mark.long
def test_judges_and_the_checks_of_judges_come_out_the_same(tmp_path: Path) -> None:
    rows = [{"id": f"c{i:03}", "vars": {"input": f"where is GH-{1000 + i}?"}, "tags": ["t"]} for i in range(30)]
    files = {
        PROMPT: prompt(GOOD, extra=JUDGED),
        GOLDENS: "".join(json.dumps(row) + "\n" for row in rows),
        "goldens/order.labels.jsonl": LABELS,
    }
    head = {PROMPT: prompt(BAD, extra=JUDGED)}
    builder = recorded(tmp_path, files, head, run={"repeats": {"initial": 1, "on_disagreement": 2}})
    whole = checked(builder)

    outcome = join_shards(split(builder, 4), builder)

    assert outcome.view is not None
    assert whole.view is not None
    assert whole.view.prompts[0].judge is not None
    assert outputs(tmp_path / "merged") == outputs(tmp_path / "out")


@pytest.mark.long
def test_a_run_without_a_comparison_is_split_too(tmp_path: Path) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)})
    whole = run.run(CheckRequest(root=builder.path, out=tmp_path / "out", head="HEAD"), make_environment()[0])

    outcome = join_shards(split(builder, 3, again=run.run, head="HEAD"), builder)

    assert outcome.exit_code == whole.exit_code
    assert outputs(tmp_path / "merged") == outputs(tmp_path / "out")


def test_the_shards_ask_each_question_once_and_the_merge_asks_nothing(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        folders = split(builder, 5, no_cache=True)
        asked = [json.dumps(call.body) for call in server.calls]
        outcome = join_shards(folders, builder)
    assert len(set(asked)) == len(asked) == len(server.calls) == 120
    assert outcome.view is not None
    assert (outcome.view.verdict, outcome.view.spend.calls) == ("fail", 120)
    assert {case.id for case in outcome.view.prompts[0].case_details} == {f"c{i:03}" for i in range(60)}


def test_a_shard_has_no_verdict(tmp_path: Path) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)})
    (folder, *_) = split(builder, 2)
    assert {path.name for path in folder.iterdir()} == {RECORD, "journal.jsonl"}
    assert "verdict" not in (folder / RECORD).read_text()


def test_errors_are_the_errors_that_the_shards_met(tmp_path: Path) -> None:
    refuse = error(500, "no such question")
    with serving(lambda call: refuse if "GH-1007" in call.last_user_message else "GH-1") as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        folders = split(builder, 3, no_cache=True)
        calls = len(server.calls)
        outcome = join_shards(folders, builder)
    assert outcome.view is not None
    assert len(server.calls) == calls
    result = next(case for case in outcome.view.prompts[0].case_details if case.id == "c007")
    assert "no such question" in json.dumps(result.model_dump(mode="json"))
    assert outcome.view.prompts[0].errors == 2


@pytest.mark.long
def test_nothing_to_ask_is_no_change_in_parts_as_in_whole(tmp_path: Path) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)})
    builder.git("switch", "--quiet", "main")
    builder.write({"README.md": "docs"}).commit()
    outcome = join_shards(split(builder, 2, base="HEAD~1"), builder)
    assert outcome.view is not None
    assert (outcome.view.verdict, outcome.exit_code) == ("no-change", 0)


def test_without_an_endpoint_a_shard_leaves_no_record(tmp_path: Path) -> None:
    builder = shop(tmp_path, {**FILES, "promptci.yml": config(provider={"base_url": "https://api.example.com/v1"})})
    builder.write({PROMPT: prompt(BAD)}).commit()
    with pytest.raises(ProviderError, match="OPENAI_API_KEY"):
        split(builder, 2)
    assert not (tmp_path / "shards" / "s1" / RECORD).exists()


def test_the_money_is_shared_out_and_a_shard_that_ran_out_of_it_is_an_error(tmp_path: Path) -> None:
    sections: dict[str, Any] = {
        "provider": {"prices": {"fake-1": {"input_usd": 1000, "output_usd": 1000}}},
        "run": {"budget_usd": 1},
    }
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, **sections)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        spent, folders = 0.0, []
        for index in (1, 2):
            folders.append(tmp_path / f"s{index}")
            request = CheckRequest(root=builder.path, out=folders[-1], shard=Shard(index=index, count=2), no_cache=True)
            assert check.check(request, make_environment()[0]).exit_code == 4
        outcome = join_shards(folders, builder)
    assert outcome.view is not None
    spent = outcome.view.spend.usd or 0.0
    assert 0.3 < spent <= 1
    assert (outcome.view.verdict, outcome.exit_code) == ("error", 4)
    assert "budget" in {reason.rule for reason in outcome.view.problems}


def test_a_working_tree_cannot_be_split(tmp_path: Path) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)})
    with pytest.raises(UsageError, match="working tree"):
        split(builder, 2, head=".")


def test_mistakes_in_files_end_a_shard_and_are_what_the_merge_reports(tmp_path: Path) -> None:
    builder = recorded(tmp_path, FILES, {PROMPT: prompt(BAD)})
    folders = split(builder, 2)
    builder.write({PROMPT: "messages: ["}).commit()
    with pytest.raises(InputError, match=PROMPT):
        split(builder, 2)
    request = CheckRequest(root=builder.path, out=tmp_path / "merged")
    outcome = merge.merge_for_event(folders, check.check, request, make_environment()[0])
    assert outcome.exit_code == 4
    assert [problem.path for problem in outcome.problems] == [PROMPT]


# --- what is handed in


def get_problems(outcome: RunResult) -> str:
    assert outcome.view is not None
    assert (outcome.view.verdict, outcome.exit_code, outcome.view.prompts) == ("error", 4, [])
    return " ".join(reason.text for reason in outcome.view.problems)


@pytest.fixture(scope="module")
def recorded_shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[RepoBuilder, list[Path]]:
    folder = tmp_path_factory.mktemp("made")
    builder = recorded(folder, {**FILES, GOLDENS: goldens(8)}, {PROMPT: prompt(BAD)})
    return builder, split(builder, 3)


@pytest.fixture
def parts(recorded_shards: tuple[RepoBuilder, list[Path]], tmp_path: Path) -> tuple[RepoBuilder, list[Path]]:
    """The folders of three shards, to be spoilt."""
    builder, folders = recorded_shards
    copied = shutil.copytree(folders[0].parent, tmp_path / "shards")
    return builder, [copied / folder.name for folder in folders]


def edited(folder: Path, **changes: Any) -> None:
    path = folder / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.long
def test_a_folder_of_folders_is_looked_through(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    (folders[0].parent / "other").mkdir()
    outcome = join_shards([folders[0].parent], builder)
    assert outcome.view is not None
    assert outcome.view.verdict != "error"


def test_a_missing_shard_is_named(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    assert "of 3 shards 1 handed in nothing: 2" in get_problems(join_shards([folders[0], folders[2]], builder))


def test_a_shard_that_is_there_twice_is_named(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    assert "shard 2 of 3 is there twice" in get_problems(join_shards([*folders, folders[1]], builder))


def test_a_shard_that_passes_for_another_is_found(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    content = (folders[0] / "journal.jsonl").read_text().replace('"shard":"1/3"', '"shard":"2/3"')
    (folders[1] / "journal.jsonl").write_text(content)
    record = json.loads((folders[0] / RECORD).read_text())
    edited(
        folders[1],
        questions=record["questions"],
        journal_sha256=hashlib.sha256(content.encode()).hexdigest(),
    )
    assert "it answers questions that are shard 1/3's" in get_problems(join_shards(folders, builder))


@pytest.mark.parametrize(
    ("changes", "words"),
    some_daily(
        [
            ({"head": "a" * 40}, "another run than shard.json"),
            ({"index": 4}, "another run than shard.json"),
            ({"plan": "0" * 64}, "other prompts or goldens"),
            ({"kind": "run"}, "another command"),
            ({"promptci": "9.9"}, "another version"),
            ({"journal_sha256": "0" * 64}, "not the journal that shard.json names"),
            ({"questions": 99}, "99 questions"),
            ({"questions": -1}, "`questions`"),
            ({"schema": "promptci/shard/v2"}, "expected `promptci/shard/v1`"),
            ({"more": 1}, "`more`"),
            ({"index": True}, "`index`"),
            ({"base": "main"}, "`base`"),
            ({"config": "x" * 401}, "`config`"),
        ],
        5,
    ),
)
def test_a_record_that_does_not_fit_is_refused(
    parts: tuple[RepoBuilder, list[Path]], changes: dict[str, Any], words: str
) -> None:
    builder, folders = parts
    edited(folders[1], **changes)
    assert words in get_problems(join_shards(folders, builder))


@pytest.mark.parametrize(
    "content", some_daily(["", "{", "[]", "null", "\0", '{"schema": 1}', "[" * 9999, "x" * 70_000], 3)
)
def test_what_is_no_record_is_refused(parts: tuple[RepoBuilder, list[Path]], content: str) -> None:
    builder, folders = parts
    (folders[2] / RECORD).write_text(content)
    assert str(folders[2]) in get_problems(join_shards(folders, builder))


@pytest.mark.parametrize("name", [RECORD, "journal.jsonl"])
def test_a_link_is_not_followed(parts: tuple[RepoBuilder, list[Path]], name: str) -> None:
    builder, folders = parts
    file = folders[1] / name
    file.rename(file.with_suffix(".kept"))
    file.symlink_to(file.with_suffix(".kept"))
    assert "symbolic link" in get_problems(join_shards(folders, builder))


def test_a_journal_that_is_not_there_is_named(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    (folders[1] / "journal.jsonl").unlink()
    assert "there is no such file" in get_problems(join_shards(folders, builder))


def test_a_journal_cut_short_is_refused(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    journal = folders[1] / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert "not all of it" in get_problems(join_shards(folders, builder))


def test_nothing_at_all_is_an_error_of_its_own(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"there is no shard\.json"):
        join_shards([empty], builder)


def test_shards_of_other_commits_than_the_event_names_are_refused(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    request = CheckRequest(root=builder.path, out=builder.path.parent / "merged", head="main", base="main")
    assert "not the run of this event" in get_problems(
        merge.merge_for_event(folders, check.check, request, make_environment()[0])
    )


def test_shards_of_commits_that_are_not_here_are_an_error(
    parts: tuple[RepoBuilder, list[Path]], tmp_path: Path
) -> None:
    _, folders = parts
    other = shop(tmp_path / "other", FILES)
    with pytest.raises(GitError):
        join_shards(folders, other)


def test_a_shard_goes_on_where_it_was_interrupted(parts: tuple[RepoBuilder, list[Path]]) -> None:
    builder, folders = parts
    journal = folders[0] / "journal.jsonl"
    before = sorted(journal.read_text().splitlines())
    (folders[0] / RECORD).unlink()
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-2]))
    request = CheckRequest(root=builder.path, out=folders[0], shard=Shard(index=1, count=3))
    assert check.check(request, make_environment()[0]).exit_code == 0
    assert sorted(journal.read_text().splitlines()) == before
    assert join_shards(folders, builder).exit_code in (0, 1)
