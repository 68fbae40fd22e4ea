"""What reaches the log and the runner's files is read back exactly, and commands nothing that we did not."""

from pathlib import Path

import pytest
from fakes import runner
from hypothesis import example, given
from hypothesis import strategies as st

from promptci.publish.runner import workflow_commands
from promptci.publish.runner.workflow_commands import Level, annotation, mask, safe_line, set_outputs

PIECES: tuple[str, ...]
PIECES = ("::", ":", "##[", "#", "[", "]", "error", "add-mask", "stop-commands", "debug", " ", "\t", "%0A", "%25", "\n")
PIECES += ("\r", "\x1b[0m", "\x1b]8;;http://x\x07", "\x00", "\u200b", "\u00ad", "\ufeff", "\u2028", "\x85", "=", ",")
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3))).map("".join)
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")


@pytest.mark.parametrize(
    "text",
    ["::add-mask::a", "##[error]x", "  ::stop-commands::t", "fine ##[debug]y", "\u200b::error::x", "#\u00ad#[error]x"],
)
def test_the_examples_would_be_commands_if_they_were_printed_as_they_are(text: str) -> None:
    assert runner.log(text)
    assert not runner.log(safe_line(text))


@given(hostile)
@example("\x1b\x1b[0m[0m::error::x")
@example(":\x1b[0m:error::x")
@example("##\x00[error]x")
@example("\u3000::error::x")
def test_no_text_through_safe_line_is_a_command(text: str) -> None:
    line = safe_line(text)

    assert runner.log(line) == []
    assert len(line.splitlines()) <= 1


@given(hostile)
def test_safe_line_changes_nothing_the_second_time(text: str) -> None:
    assert safe_line(safe_line(text)) == safe_line(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"])))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    spaced = f"x {text.replace('##[', '')}"

    assert safe_line(spaced.replace("##[", "")) == spaced.replace("##[", "")


def test_an_id_that_looks_like_a_command_can_be_copied_from_the_log() -> None:
    assert safe_line("    ::error::x") == "    > ::error::x"
    assert safe_line("id ::error::x") == "id ::error::x"


def test_colours_links_and_lone_surrogates_do_not_reach_a_terminal() -> None:
    assert safe_line("\x1b[31mred\x1b[0m \x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\ \ud800") == "red link \\ud800"


@given(st.sampled_from(LEVELS), hostile, hostile, hostile, st.one_of(st.none(), st.integers(1, 10**6)))
def test_an_annotation_is_one_command_with_the_words_given(
    level: Level, path: str, title: str, message: str, line: int | None
) -> None:
    (command,) = runner.log(annotation(level, path, line, title, message))

    assert command.name == level
    assert set(command.properties) <= {"file", "line", "title"}
    assert command.data == "\n".join(map(safe_line, message.splitlines()))[: workflow_commands.MAX_MESSAGE_CHARS]


def test_an_annotation_names_file_line_and_title() -> None:
    (command,) = runner.log(annotation("error", "a,b:c.yml", 3, "50 % worse", "one\ntwo"))

    assert command.properties == {"file": "a,b:c.yml", "line": "3", "title": "50 % worse"}
    assert command.data == "one\ntwo"


def test_an_annotation_without_a_place_has_neither_file_nor_line() -> None:
    assert annotation("notice", None, 3, "", "hello") == "::notice::hello"


def test_an_annotation_is_cut_where_the_runner_would_cut_it() -> None:
    (command,) = runner.log(annotation("warning", "a", 1, "t" * 400, "m" * 5000))

    assert (len(command.properties["title"]), len(command.data)) == (255, 4096)


@pytest.mark.parametrize(
    ("secret", "masked"), [("one", ["one"]), ("50%", ["50%"]), ("a\n\nb", ["a\n\nb", "a", "b"]), ("", []), (" \n", [])]
)
def test_a_secret_is_masked_whole_and_line_by_line(secret: str, masked: list[str]) -> None:
    commands = runner.log(mask(secret))

    assert [command.data for command in commands] == masked
    assert {command.name for command in commands} <= {"add-mask"}


values = st.dictionaries(st.sampled_from(workflow_commands.OUTPUTS), st.text(st.characters(codec="utf-8")))


@given(values)
@example({"verdict": "a\nghadelimiter_0\nregressions=0", "fixes": "x<<EOF\n", "report-path": "\r\n"})
def test_outputs_are_read_back_exactly(tmp_path_factory: pytest.TempPathFactory, given_values: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("runner") / "output"
    path.touch()
    set_outputs(path, given_values)
    set_outputs(path, {"verdict": "again"})

    written = path.read_bytes().decode()
    assert runner.key_values(written) == [*given_values.items(), ("verdict", "again")]


def test_a_lone_surrogate_in_an_output_is_written_as_an_escape(tmp_path: Path) -> None:
    set_outputs(tmp_path / "output", {"verdict": "\ud800"})

    assert runner.key_values((tmp_path / "output").read_text()) == [("verdict", "\\ud800")]


def test_delimiters_differ_from_time_to_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        set_outputs(tmp_path / name, {"verdict": "pass"})

    assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()


@pytest.mark.parametrize("name", ["", "a=b", "a<<b", "a\nb", "1a"])
def test_a_name_that_could_not_be_read_back_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of an output"):
        set_outputs(tmp_path / "output", {name: "x"})
    assert not (tmp_path / "output").exists()


def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "output").symlink_to(tmp_path / "victim")

    with pytest.raises(OSError, match="symbolic link"):
        set_outputs(tmp_path / "output", {"verdict": "pass"})
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_summary_is_added_to_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("# before\n")
    workflow_commands.append_summary(path, "# after")

    assert path.read_text() == "# before\n# after\n"


def test_a_summary_stays_under_the_limit_together_with_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("x" * 100_000)
    workflow_commands.append_summary(path, "long line ä\n" * 200_000)

    size = path.stat().st_size
    assert workflow_commands.SUMMARY_LIMIT - 1000 < size <= workflow_commands.SUMMARY_LIMIT
    assert path.read_text().rstrip().endswith(workflow_commands.SUMMARY_NOTICE)


@pytest.mark.parametrize("line", ["::error", "text", "::unknown::x", "##[unknown]x", "##[error", ""])
def test_the_runner_port_sees_no_command_where_there_is_none(line: str) -> None:
    assert runner.parse(line) is None


@pytest.mark.parametrize(
    "text", ["name<<E\nvalue\n", "name<<E\nvalue\nE2", "name<<\n", "<<E\nE\n", "neither\n", "=x\n"]
)
def test_the_runner_port_fails_the_step_where_the_runner_does(text: str) -> None:
    with pytest.raises(runner.FormatError):
        runner.key_values(text)


def test_the_runner_port_reads_simple_lines_and_blank_ones() -> None:
    assert runner.key_values("a=b=c\n\nd=e<<f\ng<<E\nE\n") == [("a", "b=c"), ("d", "e<<f"), ("g", "")]
