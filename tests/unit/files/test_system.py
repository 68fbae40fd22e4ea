"""Files by descriptor, as POSIX does it and as Windows has to."""

import os
import sys
import threading
from pathlib import Path

import pytest

from promptci.errors import InputError
from promptci.files.append import lock_file
from promptci.files.system import folder as folder_module
from promptci.files.system import open_file as open_file_module
from promptci.files.system.folder import Folder
from promptci.files.system.lock import lock_exclusively
from promptci.files.system.open_file import APPEND, READ_WRITE, open_file, read_at
from promptci.git.safe_open import open_plain_file


@pytest.fixture(params=["posix", "windows"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Files as this system opens them, and as one does that has neither O_NOFOLLOW nor descriptors of folders."""
    if request.param == "windows":
        monkeypatch.setattr(folder_module, "HAS_FOLDER_DESCRIPTORS", False)
        monkeypatch.setattr(open_file_module, "_NO_FOLLOW", 0)
        monkeypatch.setattr(open_file_module, "_ALWAYS", os.O_CLOEXEC)
    return str(request.param)


def test_a_link_at_the_end_is_not_opened(system: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "link").symlink_to("secret")
    for flags in (os.O_RDONLY, READ_WRITE, APPEND):
        with pytest.raises(OSError, match="symbolic links"):
            open_file(tmp_path / "link", flags)
    (tmp_path / "nowhere").symlink_to("missing")
    with pytest.raises(OSError, match="symbolic links"):
        open_file(tmp_path / "nowhere", READ_WRITE)
    assert not (tmp_path / "missing").exists()


def test_a_folder_is_walked_without_following_a_link(system: str, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("content")
    (tmp_path / "a" / "link").symlink_to("b")
    with Folder.open(tmp_path) as folder:
        folder.enter("a")
        assert sorted(folder.names()) == ["b", "link"]
        with pytest.raises(OSError, match=r".+"):
            folder.enter("link")
        with folder.open_below("b") as below, os.fdopen(below.open_file("file"), "rb") as file:
            assert file.read() == b"content"
        with pytest.raises(FileNotFoundError):
            folder.lstat("missing")


def test_an_untrusted_beginning_may_not_be_a_link(system: str, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    Folder.open(tmp_path / "link").close()
    with pytest.raises(OSError, match=r".+"):
        Folder.open(tmp_path / "link", is_trusted=False)
    with pytest.raises(NotADirectoryError):
        Folder.open(Path(__file__))


@pytest.mark.parametrize("name", ["..", ".", "", "a\\b", "c:d", "a/b", "stream::$DATA"])
def test_where_paths_are_joined_a_name_is_one_step(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "HAS_FOLDER_DESCRIPTORS", False)
    with Folder.open(tmp_path) as folder, pytest.raises(FileNotFoundError):
        folder.lstat(name)


def test_a_prompt_behind_a_link_is_refused(system: str, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.md").write_text("x")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(InputError, match="symbolic link"):
        open_plain_file(tmp_path, "link/a.md")
    descriptor = open_plain_file(tmp_path, "real/a.md")
    assert descriptor is not None
    os.close(descriptor)
    assert open_plain_file(tmp_path, "real/missing.md") is None
    assert open_plain_file(tmp_path, "real") is None


def test_read_at_leaves_the_position_to_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = open_file(tmp_path / "file", READ_WRITE)
    for platform in ("linux", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        os.write(descriptor, b"abcdef")
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        assert read_at(descriptor, 3, 1) == b"bcd"
        assert read_at(descriptor, 9, end) == b""
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == end
    os.close(descriptor)


def test_a_lock_keeps_others_out_until_the_file_is_closed(tmp_path: Path) -> None:
    first, second = (open_file(tmp_path / "lock", READ_WRITE) for _ in range(2))
    lock_exclusively(first)
    with pytest.raises(BlockingIOError):
        lock_exclusively(second)
    with pytest.raises(BlockingIOError), lock_file(tmp_path / "lock", patience_s=0.01):
        pass
    threading.Timer(0.05, os.close, [first]).start()
    with lock_file(tmp_path / "lock"):
        pass
    lock_exclusively(second)
    os.close(second)
