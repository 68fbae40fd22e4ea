"""`promptci judge label`: answers one by one, a key each, and a file that the judge is measured by."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes.repo import RepoBuilder
from support.report_situations import SITUATIONS
from support.repositories import GOOD, prompt

from promptci.cli.command_group import group
from promptci.errors import UsageError
from promptci.goldens.labels import parse_labels
from promptci.report import write
from promptci.report.model.document import serialize

VIEW = SITUATIONS["judge_trusted"]()
NAME = VIEW.prompts[0].name
LABELS = f"goldens/{NAME}.labels.jsonl"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write.write_all(serialize(VIEW), tmp_path_factory.mktemp("report")).json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({"README.md": "x"}).commit()
    return builder.path


def label(folder: Path, report: Path, keys: str, name: str = NAME) -> Result:
    words = ["judge", "label", name, "--repo", str(folder), "--report", str(report)]
    return CliRunner().invoke(group, words, input="".join(f"{key}\n" for key in keys), standalone_mode=False)


def test_labels_are_written_as_they_are_given_and_the_next_call_goes_on(folder: Path, report: Path) -> None:
    first = label(folder, report, "ynq")
    assert "2 new labels in " in first.output
    assert "48 are missing. Until they are there, commit none: with fewer the judge is advisory" in first.output
    assert "`promptci run --no-cache` gives new answers to label" in first.output
    labels = parse_labels((folder / LABELS).read_bytes(), LABELS)
    assert [each.passed for each in labels] == [True, False]
    label(folder, report, "yq")
    again = parse_labels((folder / LABELS).read_bytes(), LABELS)
    assert again[:2] == labels
    assert len({each.identity for each in again}) == 3


def test_a_skipped_answer_is_not_written_and_a_wrong_key_is_asked_again(folder: Path, report: Path) -> None:
    done = label(folder, report, "xsq")
    assert done.output.count("Is the answer right?") == 3
    assert not (folder / LABELS).exists()


def test_both_commands_take_the_prompt_by_option_and_alone(folder: Path, report: Path) -> None:
    words = ["judge", "label", "--repo", str(folder), "--report", str(report)]
    by_option = CliRunner().invoke(group, [*words, "--prompt", NAME], input="q\n", standalone_mode=False)
    assert by_option.output == label(folder, report, "q").output
    for wrong in ([], [NAME, "--prompt", "other"]):
        assert isinstance(CliRunner().invoke(group, [*words, *wrong], standalone_mode=False).exception, UsageError)
    (folder / "other.prompt.yml").write_text(prompt(GOOD))
    for spelling in ([NAME], ["--prompt", NAME]):
        done = CliRunner().invoke(
            group, ["judge", "calibrate", "--repo", str(folder), *spelling], standalone_mode=False
        )
        assert f"There is no prompt `{NAME}`" in str(done.exception)


def test_neither_the_judge_s_mark_nor_the_version_is_shown(folder: Path, report: Path) -> None:
    shown, _, _ = label(folder, report, "s" * 500).output.rpartition("Is the answer right?")
    assert all(word not in shown for word in ("before", "after", "judge", "score"))


def test_a_label_is_appended_to_a_file_without_a_last_line_break(folder: Path, report: Path) -> None:
    (folder / "goldens").mkdir()
    mine = json.dumps({"id": "mine", "answer": "x", "pass": True})
    (folder / LABELS).write_text(mine)
    label(folder, report, "yq")
    first, *_ = parse_labels((folder / LABELS).read_bytes(), LABELS)
    assert first.case_id == "mine"


def test_a_prompt_that_the_report_does_not_have_is_a_mistake(folder: Path, report: Path) -> None:
    error = label(folder, report, "", "nope").exception
    assert "does not have the prompt `nope`" in str(error)


def test_the_rubric_is_shown_once_and_a_wrong_key_is_answered(folder: Path, report: Path) -> None:
    settings = 'version: 1\njudge: {model: m, rubric: rubric.md}\nprompts: {include: ["*.prompt.yml"]}\n'
    (folder / "promptci.yml").write_text(settings)
    (folder / "rubric.md").write_text("It answers the question kindly.")
    (folder / "x.prompt.yml").write_text(f"name: {NAME}\n{prompt(GOOD)}")
    (folder / "goldens").mkdir()
    ids = dict.fromkeys(case.id for case in VIEW.prompts[0].case_details)
    checked = [{"id": each, "vars": {"input": each}, "assert": [{"type": "judge"}]} for each in ids]
    (folder / "goldens" / f"{NAME}.jsonl").write_text("".join(json.dumps(case) + "\n" for case in checked))
    done = label(folder, report, "xssq")
    assert done.output.count("rubric    It answers the question kindly.") == 1
    assert "Press one of y, n, s, q." in done.output
