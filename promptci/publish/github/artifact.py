"""Read the report from another run's artifact: an untrusted folder or zip file.

Nothing is unpacked and nothing else is read. An artifact that holds what promptci never writes (a link, a way out of
the folder, a name twice) is refused as a whole: it was made to do something.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from promptci.errors import UnsafeError
from promptci.files.system.folder import Folder
from promptci.files.system.open_file import is_link, open_file

REPORT = "report.json"
MAX_REPORT_BYTES = 32 * 2**20
"""Bytes of a report.json; larger ones are for people, not for a comment."""
MAX_ZIP_BYTES = 64 * 2**20
MAX_FILES = 1_000
MAX_DEPTH = 8
_ENCRYPTED = 0x1
_UNREADABLE = (OSError, EOFError, ValueError, LookupError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_report_json(source: Path) -> bytes:
    """Return the bytes of the report.json in a folder or a zip file.

    Raises
    ------
    UnsafeError
        Where there is none, or the artifact holds what promptci does not write.
    """
    try:
        if stat.S_ISDIR(source.lstat().st_mode):
            return _read_folder(source)
        return _read_zip(source)
    except _UNREADABLE as error:
        raise _build_error(f"it cannot be read ({type(error).__name__})") from error


def _read_folder(source: Path) -> bytes:
    with Folder.open(source, is_trusted=False) as folder:
        for count, status in enumerate(_entries(folder, MAX_DEPTH), start=1):
            if count > MAX_FILES:
                raise _build_error(f"it holds more than {MAX_FILES} files")
            if is_link(status) or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                raise _build_error("it holds a link, a pipe or a device")
        try:
            descriptor = folder.open_file(REPORT)
        except FileNotFoundError:
            raise _build_error(f"there is no {REPORT} in it") from None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _build_error(f"its {REPORT} is not a plain file")
            return _check_size(file.read(MAX_REPORT_BYTES + 1))


def _entries(folder: Folder, depth: int) -> Iterator[os.stat_result]:
    """Describe each entry, without following links."""
    for name in folder.names():
        status = folder.lstat(name)
        yield status
        if stat.S_ISDIR(status.st_mode) and not is_link(status):
            if not depth:
                raise _build_error(f"its folders are nested more than {MAX_DEPTH} deep")
            with folder.open_below(name) as below:
                yield from _entries(below, depth - 1)


def _read_zip(source: Path) -> bytes:
    with os.fdopen(open_file(source), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise _build_error("it is neither a folder nor a zip file")
        if about.st_size > MAX_ZIP_BYTES:
            raise _build_error(f"it has more than {MAX_ZIP_BYTES} bytes")
        with zipfile.ZipFile(file) as packed:
            entries = packed.infolist()
            _check_entries(entries)
            reports = [entry for entry in entries if entry.filename == REPORT]
            if not reports:
                raise _build_error(f"there is no {REPORT} in it")
            with packed.open(reports[0]) as content:
                return _check_size(content.read(MAX_REPORT_BYTES + 1))


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise _build_error(f"it holds more than {MAX_FILES} files")
    names = [entry.filename for entry in entries]
    if len({name.casefold() for name in names}) != len(names):
        raise _build_error("it holds a name twice")
    for entry in entries:
        if _leads_out(entry.orig_filename):
            raise _build_error("a path in it leads out of it")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _build_error("it holds a link, a pipe or a device")
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _READ:
            raise _build_error("it is encrypted, or packed in an unusual way")


def _leads_out(name: str) -> bool:
    """Return whether a name, on any operating system, may lead out of the folder."""
    steps = name.replace("\\", "/").split("/")
    return ".." in steps or not steps[0] or ":" in steps[0] or "\0" in name


def _check_size(content: bytes) -> bytes:
    if len(content) > MAX_REPORT_BYTES:
        raise _build_error(f"its {REPORT} has more than the {MAX_REPORT_BYTES} bytes that are read")
    return content


def _build_error(reason: str) -> UnsafeError:
    return UnsafeError(
        f"The artifact is refused: {reason}",
        "Upload the folder that promptci wrote (the input `out`), as it is and nothing else.",
    )
