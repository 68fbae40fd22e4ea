"""A defect of promptci is a message, an exit code and a ready bug report, without secrets; on GitHub in the log."""

import errno
import io
import re
from pathlib import Path

import pytest

from promptci import __version__
from promptci.app import error_boundary
from promptci.errors import UsageError
from promptci.files import write

SECRET = "sk-" + "abcdefgh" * 5


def fail() -> int:
    raise ZeroDivisionError(f"::error::with {SECRET}")


def guarded(**environ: str) -> tuple[int, str]:
    err = io.StringIO()
    code = error_boundary.run_guarded(fail, {"OPENAI_API_KEY": SECRET, **environ}, err)
    return code, err.getvalue()


def test_a_defect_is_reported_with_versions_and_without_secrets() -> None:
    code, message = guarded()
    result = re.fullmatch(
        r"Internal error in promptci \(not your prompt\)\. Details in (\S+)\. Please report it\.\n", message
    )
    assert result is not None
    report = Path(result[1]).read_text()
    assert code == 4
    assert f"promptci {__version__}\nPython 3" in report
    assert "pydantic 2" in report
    assert "ZeroDivisionError" in report
    assert SECRET not in report


def test_on_github_the_details_are_in_a_folded_group_of_the_log() -> None:
    _, message = guarded(GITHUB_ACTIONS="true")
    _, _, group = message.partition("::group::Details of the internal error\n")
    details, end, _ = group.partition("::endgroup::\n")
    assert end
    assert "ZeroDivisionError" in details
    assert SECRET not in message
    assert not [line for line in details.splitlines() if line.lstrip().startswith("::")]


def test_an_error_of_the_user_is_its_message() -> None:
    def refuse() -> int:
        raise UsageError("No such thing", "Name another.")

    err = io.StringIO()
    assert error_boundary.run_guarded(refuse, {}, err) == 2
    assert err.getvalue() == "promptci: No such thing. Name another.\n"


def test_a_path_that_cannot_be_written_is_named_and_no_defect(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    def write_there() -> int:
        write.write_text(tmp_path / "file" / "page.html", "page")
        return 0

    err = io.StringIO()
    assert error_boundary.run_guarded(write_there, {}, err) == 4
    assert f"promptci: `{tmp_path / 'file'}" in err.getvalue()
    assert "cannot be read or written: " in err.getvalue()
    assert err.getvalue().endswith(". Check the path and its permissions.\n")


def test_a_full_disk_is_no_defect() -> None:
    def fill() -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    err = io.StringIO()
    assert error_boundary.run_guarded(fill, {}, err) == 4
    assert "No space left on device. Make room on the disk" in err.getvalue()


def test_without_a_place_for_files_the_report_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/none")
    assert error_boundary.write_bug_report("details") == "the lines above"
    assert capsys.readouterr().err == "details"
