"""An artifact of a stranger's run: the report is read within bounds, and what promptci never writes is refused."""

import io
import os
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptci.errors import UnsafeError
from promptci.publish.github import artifact

REPORT = b'{"schema": "promptci/report/v1"}'


def zipped(path: Path, entries: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return path


def entry(name: str, mode: int = stat.S_IFREG | 0o644, system: int = 3) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.create_system = system
    return info


def folder(path: Path) -> Path:
    (path / "artifact" / "deep").mkdir(parents=True)
    (path / "artifact" / "report.json").write_bytes(REPORT)
    (path / "artifact" / "deep" / "journal.jsonl").touch()
    return path / "artifact"


def test_a_folder_and_a_zip_file_give_their_report(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", [("report.html", b"<p>"), ("report.json", REPORT), ("deep/x", b"")])

    assert artifact.read_report_json(folder(tmp_path)) == artifact.read_report_json(packed) == REPORT


EVIL: dict[str, zipfile.ZipInfo | str] = {
    "way up": "../report.json",
    "way up inside": "deep/../../report.json",
    "way up of windows": "..\\report.json",
    "absolute": "/etc/cron.d/x",
    "drive": "C:/x",
    "root": "\\",
    "symlink": entry("link", stat.S_IFLNK | 0o777),
    "symlink from elsewhere": entry("link", stat.S_IFLNK | 0o777, system=0),
    "device": entry("dev", stat.S_IFCHR | 0o666),
    "pipe": entry("pipe", stat.S_IFIFO | 0o666),
    "report as a symlink": entry("report.json", stat.S_IFLNK | 0o777),
    "same name in capitals": "REPORT.JSON",
}


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_gh_workflow_run_artifact_zip_slip(tmp_path: Path, evil: zipfile.ZipInfo | str) -> None:
    entries: list[tuple[zipfile.ZipInfo | str, bytes]] = [("report.json", REPORT), (evil, b"../../etc/passwd")]
    name = evil.filename if isinstance(evil, zipfile.ZipInfo) else evil
    packed = zipped(tmp_path / "a.zip", entries[1:] if name == "report.json" else entries)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UnsafeError, match="refused"):
        artifact.read_report_json(packed)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("linked", ["report.json", "deep/x", "folder"])
def test_gh_workflow_run_artifact_zip_slip_unpacked(tmp_path: Path, linked: str) -> None:
    place = folder(tmp_path)
    (tmp_path / "secret").write_bytes(REPORT)
    with suppress(FileNotFoundError):
        (place / linked).unlink()
    (place / linked).symlink_to(tmp_path / "secret")

    with pytest.raises(UnsafeError, match="holds a link"):
        artifact.read_report_json(place)


def test_the_folder_itself_may_not_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder(tmp_path))

    with pytest.raises(UnsafeError):
        artifact.read_report_json(tmp_path / "link")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (place / "report.json").unlink()
    os.mkfifo(place / "report.json")

    with pytest.raises(UnsafeError, match="pipe"):
        artifact.read_report_json(place)
    with pytest.raises(UnsafeError, match="neither"):
        artifact.read_report_json(place / "report.json")


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(artifact.MAX_REPORT_BYTES + 1)


def test_a_report_that_is_too_large_is_refused(tmp_path: Path) -> None:
    too_large(folder(tmp_path) / "report.json")

    with pytest.raises(UnsafeError, match="more than"):
        artifact.read_report_json(tmp_path / "artifact")


def test_a_zip_bomb_is_read_no_further_than_a_report_may_be_long(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "a.zip", [("report.json", b"0" * (artifact.MAX_REPORT_BYTES * 3))])
    assert bomb.stat().st_size < artifact.MAX_REPORT_BYTES / 100

    with pytest.raises(UnsafeError, match="more than"):
        artifact.read_report_json(bomb)


def test_a_zip_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.zip").open("wb") as file:
        file.truncate(artifact.MAX_ZIP_BYTES + 1)

    with pytest.raises(UnsafeError, match="more than"):
        artifact.read_report_json(tmp_path / "a.zip")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path)
    names = [f"{number}.txt" for number in range(artifact.MAX_FILES)]
    for name in names:
        (place / name).touch()
    packed = zipped(tmp_path / "a.zip", [("report.json", REPORT), *((name, b"") for name in names)])

    for source in (place, packed):
        with pytest.raises(UnsafeError, match="files"):
            artifact.read_report_json(source)


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    deep = folder(tmp_path)
    for _ in range(artifact.MAX_DEPTH + 1):
        deep = deep / "x"
    deep.mkdir(parents=True)

    with pytest.raises(UnsafeError, match="nested"):
        artifact.read_report_json(tmp_path / "artifact")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "a.zip", [("report.json", REPORT), ("report.json", b"{}")])

    with pytest.raises(UnsafeError, match="twice"):
        artifact.read_report_json(packed)


def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("report.json", REPORT)

    with pytest.raises(UnsafeError, match="unusual"):
        artifact.read_report_json(tmp_path / "a.zip")


@pytest.mark.parametrize("make", [lambda p: p.mkdir(), lambda p: p.write_bytes(b"PK\x05\x06"), Path.exists])
def test_an_artifact_without_a_report_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "it")

    with pytest.raises(UnsafeError, match="refused"):
        artifact.read_report_json(tmp_path / "it")


def test_a_zip_file_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match=r"no report\.json"):
        artifact.read_report_json(zipped(tmp_path / "a.zip", [("deep/report.json", REPORT)]))


def good_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("report.json", REPORT * 9)
    return buffer.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 60))
def test_no_damage_to_a_zip_file_ends_in_a_traceback(tmp_path: Path, damage: list[tuple[int, int]], lost: int) -> None:
    content = bytearray(good_zip())
    for place, value in damage:
        content[place % len(content)] = value
    (tmp_path / "a.zip").write_bytes(content[: len(content) - lost])

    with suppress(UnsafeError):
        assert artifact.read_report_json(tmp_path / "a.zip") == REPORT * 9
