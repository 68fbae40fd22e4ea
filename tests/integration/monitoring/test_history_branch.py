"""`promptci history`, in real repositories: lines are added whole and once, checked one by one, and pruned by age."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.processes import LONGEST_S
from support.released import run

from promptci.git.data_branch import BranchFiles, DataBranch
from promptci.history import branch_records
from promptci.history.branch_records import MAX_PROBLEMS
from promptci.usecases.monitoring import history_branch
from promptci.usecases.monitoring.history_branch import KINDS, HistoryRequest


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoBuilder:
    for name, value in released.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return released.shop(tmp_path)


def night(prompt: str = "order", day: str = "2026-03-02", **options: Any) -> str:
    fields = {
        "schema": "promptci/night/v1",
        "at": f"{day}T03:17:00Z",
        "prompt": prompt,
        "version": "v1.3.0",
        "fingerprint": "8bff",
        "goldens": "9a1e",
        "judge": "71c0",
        "reference": None,
        "model": "gpt-4o-mini-2024-07-18",
        "n": 3,
        "marks": "110",
        "verdict": "steady",
    }
    return json.dumps({**fields, **options})


def alert(at: str = "2026-03-02T10:00:00Z", **options: Any) -> str:
    fields = {"schema": "promptci/alert/v1", "at": at, "look": at, "what": "opened", "rule": "low", "prompt": "order"}
    rest = {"kind": "threshold", "metric": "quality", "since": at, "firing": 2, "fine": 0}
    return json.dumps({**fields, **rest, **options})


def put(builder: RepoBuilder, files: dict[str, bytes | None]) -> None:
    DataBranch(root=builder.path).append(lambda _: files, "as a test wants it")


def shown(builder: RepoBuilder, path: str) -> str:
    return builder.git("show", f"promptci/history:{path}")


def test_lines_go_to_the_file_of_their_kind_and_day_and_none_twice(shop: RepoBuilder) -> None:
    lines = [night("order"), night("refund"), night(day="2026-03-03"), alert()]
    shop.write({"lines.jsonl": "\n".join(lines) + "\n\n"})
    done = run(shop, "history", "append", "lines.jsonl")
    assert (done.code, done.text.splitlines()[-1]) == (0, "4 files changed")
    assert shown(shop, "nights/2026/03-02.jsonl").splitlines() == lines[:2]
    assert shown(shop, "nights/2026/03-03.jsonl").splitlines() == lines[2:3]
    assert shown(shop, "alerts/2026-03.jsonl").splitlines() == lines[3:]
    assert shown(shop, "FORMAT") == "1"

    shop.write({"lines.jsonl": "\n".join([*lines, night("third")])})
    assert run(shop, "history", "append", "lines.jsonl").code == 0
    assert len(shown(shop, "nights/2026/03-02.jsonl").splitlines()) == 3
    again = run(shop, "history", "append", "lines.jsonl")
    assert (again.code, again.text.splitlines()[-1]) == (0, "nothing to do")
    checked = run(shop, "history", "check")
    assert (checked.code, checked.text.splitlines()) == (
        0,
        ["nights: 4 lines", "alerts: 1 line", "every line is valid"],
    )
    assert shop.git("rev-list", "--count", "promptci/history") == "2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not one of the history branch"),
        ('{"schema": "promptci/other/v1"}', "not one of the history branch"),
        (night(n="three"), "`n`"),
        (night(extra=1), "`extra`"),
        (night(day="yesterday"), "`at`: not a time; write it like 2026-03-02T03:17:00Z"),
        (night(marks="1" * 70_000), "64 KiB"),
        ('{"schema": "promptci/audit/v1"}', "not appended by hand"),
    ],
)
def test_a_bad_line_is_named_and_none_is_added(shop: RepoBuilder, line: str, message: str) -> None:
    shop.write({"lines.jsonl": f"{night()}\n{line}\n"})
    done = run(shop, "history", "append", "lines.jsonl")
    assert done.code == 4
    assert "lines.jsonl:2: " in done.text
    assert message in done.text
    assert run(shop, "history", "check").code == 2


def test_an_empty_file_is_no_success(shop: RepoBuilder) -> None:
    shop.write({"lines.jsonl": "\n"})
    assert run(shop, "history", "append", "lines.jsonl").code == 4
    assert run(shop, "history", "append", "missing.jsonl").code == 4


def test_check_names_file_and_line_of_everything_that_is_wrong(shop: RepoBuilder) -> None:
    put(
        shop,
        {
            "FORMAT": b"2\n",
            "nights/2026/03-02.jsonl": f"{night()}\n{night(n=None)}\nnot json\n".encode(),
            "nights/2026/13-02.jsonl": b"{}\n",
            "canary/production/order@v1.jsonl": b"[1]\n" + b'{"at": "' + b"x" * 70_000 + b'"}\n',
            "answers/2026/03-02.jsonl.gz": gzip.compress(b'{"a": 1}\n')[:-4],
            "notes.txt": b"hello\n",
        },
    )
    done = run(shop, "history", "check", "--json")
    assert done.code == 1
    problems = done.value["problems"]
    for start in (
        "FORMAT:1: the format is not 1",
        "answers/2026/03-02.jsonl.gz: it cannot be unpacked",
        "canary/production/order@v1.jsonl:1: `schema` is null",
        "canary/production/order@v1.jsonl:2: the line has 70,010 bytes",
        "nights/2026/03-02.jsonl:2: `n`",
        "nights/2026/03-02.jsonl:3: ",
        "nights/2026/13-02.jsonl: no kind of record has such a file",
        "notes.txt: no kind of record has such a file",
    ):
        assert [problem for problem in problems if problem.startswith(start)], start


def test_check_names_a_link_which_is_never_read(shop: RepoBuilder) -> None:
    put(shop, {"FORMAT": b"1\n"})
    target = shop.path / "target.txt"
    target.write_text("nights/2026/03-01.jsonl")
    blob = shop.git("hash-object", "-w", str(target))
    shop.git("read-tree", "promptci/history")
    shop.git("update-index", "--add", "--cacheinfo", f"120000,{blob},nights/2026/03-02.jsonl")
    tree, parent = shop.git("write-tree"), shop.git("rev-parse", "promptci/history")
    commit = shop.git("commit-tree", tree, "-p", parent, "-m", "a link")
    shop.git("update-ref", "refs/heads/promptci/history", commit)
    done = run(shop, "history", "check")
    assert (done.code, "nights/2026/03-02.jsonl: it is no file but a link" in done.text) == (1, True), done.text


def test_only_the_first_problems_are_listed(shop: RepoBuilder) -> None:
    put(shop, {"FORMAT": b"1\n", "alerts/2026-03.jsonl": b"{}\n" * 100})
    assert len(run(shop, "history", "check", "--json").value["problems"]) == MAX_PROBLEMS


def test_a_packed_file_is_unpacked_within_bounds(shop: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shop, {"FORMAT": b"1\n", "answers/2026/03-02.jsonl.gz": gzip.compress(b'{"a": 1}\n' * 1000)})
    assert run(shop, "history", "check", "--json").value["lines"]["answers"] == 1000
    monkeypatch.setattr(branch_records, "MAX_UNPACKED_BYTES", 1000)
    assert "more than" in run(shop, "history", "check").text


def test_a_branch_over_its_size_is_named(shop: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shop, {"FORMAT": b"1\n", "nights/2026/03-02.jsonl": night().encode() * 1})
    monkeypatch.setattr(branch_records, "MAX_BRANCH_BYTES", 100)
    assert "promptci history prune" in run(shop, "history", "check").text


def prune(builder: RepoBuilder, day: str, *, dry_run: bool = False) -> list[str]:
    request = HistoryRequest(root=builder.path, dry_run=dry_run)
    return history_branch.prune_history(request, datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)).changed


def test_what_is_old_is_pruned_and_the_audit_log_never(shop: RepoBuilder) -> None:
    points = "".join(f'{{"at": "2026-01-{1 + n // 48:02}T{n % 24:02}:00:00Z", "n": {n}}}\n' for n in range(960))
    files: dict[str, bytes | None] = {
        "FORMAT": b"1\n",
        "audit/2019-01.jsonl": b"{}\n",
        "alerts/2019-01.jsonl": b"{}\n",
        "nights/2026/03-02.jsonl": b"{}\n",
        "answers/2026/03-02.jsonl.gz": b"packed",
        "canary/production/order@v1.jsonl": points.encode(),
        "canary/production/order@v2.jsonl": b'{"at": "2026-03-30T10:00:00Z"}\n' * 300,
    }
    put(shop, files)
    assert prune(shop, "2026-04-06", dry_run=True) == ["canary/production/order@v1.jsonl"]
    assert shop.git("rev-list", "--count", "promptci/history") == "1"
    assert prune(shop, "2026-04-06") == ["canary/production/order@v1.jsonl"]
    kept = [json.loads(line)["n"] for line in shown(shop, "canary/production/order@v1.jsonl").splitlines()]
    assert (len(kept), kept[0], kept[-1], kept == sorted(set(kept))) == (200, 0, 959, True)
    assert prune(shop, "2026-04-06") == []
    assert prune(shop, "2026-04-07") == ["answers/2026/03-02.jsonl.gz"]
    assert set(prune(shop, "2029-06-01")) == {
        "nights/2026/03-02.jsonl",
        "canary/production/order@v1.jsonl",
        "canary/production/order@v2.jsonl",
    }
    assert BranchFiles(root=shop.path, commit=shop.git("rev-parse", "promptci/history")).list_paths() == [
        "FORMAT",
        "alerts/2019-01.jsonl",
        "audit/2019-01.jsonl",
    ]


@pytest.mark.parametrize("options", [(), ("--depth=1",)], ids=["whole", "shallow"])
def test_a_clone_fetches_what_another_pushed(tmp_path: Path, shop: RepoBuilder, options: tuple[str, ...]) -> None:
    first, second = released.with_remote(shop, "first", "second")
    none = run(first, "history", "fetch")
    assert (none.code, none.text.splitlines()) == (
        0,
        ["there is no history branch yet; `promptci history append` and the runs with --history begin it"],
    )
    second.write({"lines.jsonl": night()})
    assert run(second, "history", "append", "lines.jsonl").code == 0
    dry = run(first, "history", "fetch", "--dry-run", "--json").value
    assert (dry["commit"], dry["changed"]) == (None, ["refs/remotes/origin/promptci/history"])
    assert run(first, "history", "fetch", "--json").value["lines"]["nights"] == 1
    assert run(first, "history", "fetch", "--dry-run", "--json").value["changed"] == []


@pytest.mark.long
def test_four_writers_at_once_lose_nothing(shop: RepoBuilder) -> None:
    last, *writers = released.with_remote(shop, "last", "a", "b", "c", "d")
    for writer in writers:
        writer.write({"lines.jsonl": "".join(night(f"{writer.path.name}{n}") + "\n" for n in range(5))})
    processes = [released.start(writer, ["history", "append", "lines.jsonl"]) for writer in writers]
    ended = [(process.communicate(timeout=LONGEST_S), process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * 4, ended
    assert run(last, "history", "fetch", "--json").value["lines"]["nights"] == 20
    prompts = [json.loads(line)["prompt"] for line in read_night(last).splitlines()]
    assert sorted(prompts) == sorted(f"{writer.path.name}{n}" for writer in writers for n in range(5))


def read_night(builder: RepoBuilder) -> str:
    return builder.git("show", "origin/promptci/history:nights/2026/03-02.jsonl")


def test_every_kind_has_a_folder_of_its_own() -> None:
    folders = [kind.folder for kind in KINDS]
    assert len(set(folders)) == len(folders)
    for kind in KINDS:
        path = kind.path_for(date(2026, 3, 2)).replace("*", "order@v1")
        assert [other.folder for other in KINDS if other.match(path)] == [kind.folder]


def test_doctor_prints_the_ruleset_and_points_to_it(shop: RepoBuilder) -> None:
    ruleset = run(shop, "doctor", "--ruleset").value
    assert ruleset["conditions"]["ref_name"]["include"] == ["refs/heads/promptci/history"]
    assert [rule["type"] for rule in ruleset["rules"]] == ["deletion", "non_fast_forward", "required_linear_history"]
    assert "--ruleset" not in run(shop, "doctor").text
    put(shop, {"FORMAT": b"1\n"})
    assert "promptci doctor --ruleset" in run(shop, "doctor").text
