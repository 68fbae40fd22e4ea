"""Answers given before, so that a second run of the same commit costs nothing."""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promptci.files import canonical
from promptci.files.system.open_file import READ_WRITE, open_file, read_at
from promptci.providers.base import COMPLETION_CODEC, Completion, Request
from promptci.redact import Redactor

DEFAULT_MAX_AGE_S = 86_400.0
MIN_SECRET_CHARS = 8
"""A shorter key is a placeholder such as `none`, which any answer may contain."""
MAX_LINE_BYTES = 2**24
"""A longer line is written, and read by the next run only."""
MIN_NOTED_AGE_S = 60.0
"""Younger answers are those of the run before, which nothing has changed since."""
_KEY_AT = len('{"key":"')
_KEY_END = _KEY_AT + 64


class AnswerCache:
    """Answers by endpoint, request and replicate, in files of JSON lines, one file a day.

    Two processes may write at once: each line leaves in one append. A line is believed only if its seal fits, an
    HMAC under the endpoint's key: whoever can put a file into the folder, as a pull request may, but does not hold
    the key cannot put words into the model's mouth. Without a key the seal shows damage only. Answers older than
    `max_age_s` are not used: both arms of a comparison are to be answered by the model of the same days.
    A cache that cannot be read or written is no error: the model is asked.
    """

    def __init__(
        self,
        folder: Path,
        *,
        namespace: str,
        secret: str = "",
        max_age_s: float = DEFAULT_MAX_AGE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read the index of the folder; `namespace` names the endpoint, `now` gives seconds since 1970."""
        self.ignored_lines = 0
        """Lines that are damaged, forged or of another format."""
        self.write_error: str | None = None
        """Why nothing more is stored, where that is so."""
        self.oldest_used_s = 0.0
        """Age of the oldest answer that was looked up."""
        self._folder = folder
        self._namespace = namespace
        self._secret = secret.encode()
        self.redactor = Redactor([secret] if len(secret) >= MIN_SECRET_CHARS else [])
        """An answer in which it finds a secret is not kept."""
        self._max_age_s = max_age_s
        self._now = now
        self._segment: int | None = None
        self._segment_day = ""
        self._lines: dict[str, bytes] = {}
        """Lines of earlier runs, by key."""
        self._written = _WrittenLines()
        for file in _list_segments(folder, oldest=_day(now() - max_age_s)):
            self.ignored_lines += _read_lines(file, self._lines)

    def forget_earlier(self) -> None:
        """Look up no answer of an earlier run, so that every question is asked again and its new answer stored."""
        self._lines.clear()

    def lookup(self, request: Request, replicate: int) -> Completion | None:
        """Return the answer this request got before, or None."""
        key = self._key(request, replicate)
        line = self._written.read(key, self._segment) or self._lines.get(key)
        if line is None:
            return None
        try:
            value = json.loads(line)
            if not hmac.compare_digest(str(value.pop("seal")), self._seal(value)) or value["key"] != key:
                raise ValueError("the seal does not fit")  # noqa: TRY301 - one place counts all that is ignored
            age_s = self._now() - value["at"]
            if not 0 <= age_s <= self._max_age_s:
                return None
            completion = COMPLETION_CODEC.from_json(value["completion"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.ignored_lines += 1
            self._lines.pop(key, None)
            self._written.forget(key)
            return None
        self.oldest_used_s = max(self.oldest_used_s, age_s)
        return completion

    def store(self, request: Request, replicate: int, completion: Completion) -> None:
        """Keep an answer for the runs to come."""
        if self.write_error is not None:
            return
        key = self._key(request, replicate)
        answer = COMPLETION_CODEC.to_json(completion)
        if self.redactor.redact_value(answer) != answer:
            return
        value = {"key": key, "at": self._now(), "completion": answer}
        line = json.dumps({**value, "seal": self._seal(value)}, separators=(",", ":")).encode() + b"\n"
        try:
            segment = self._open()
            # The newline in front ends a line that another process left torn.
            written = os.write(segment, b"\n" + line)
            end = os.lseek(segment, 0, os.SEEK_CUR)
        except OSError as error:
            self.write_error = f"the answers are not cached: {error.strerror}"
            return
        if written != len(line) + 1:
            self.write_error = "the answers are not cached: the disk is full"
        else:
            self._written.add(key, end, len(line))

    def close(self) -> None:
        """Close the file being written."""
        if self._segment is not None:
            os.close(self._segment)
            self._segment = None
            self._written = _WrittenLines()

    def _key(self, request: Request, replicate: int) -> str:
        return hashlib.sha256(f"{self._namespace}\n{request.key}\n{replicate}".encode()).hexdigest()

    def _seal(self, value: dict[str, Any]) -> str:
        return hmac.new(self._secret, canonical.canonical_json(value).encode(), hashlib.sha256).hexdigest()

    def _open(self) -> int:
        today = _day(self._now())
        if self._segment is None or self._segment_day != today:
            self.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._segment = open_file(self._folder / f"answers-{today}.jsonl", READ_WRITE | os.O_APPEND)
            self._segment_day = today
        return self._segment


def _read_lines(file: Path, lines: dict[str, bytes]) -> int:
    """Note the newest answer of each key in `lines`, without parsing it; return how many lines are none."""
    try:
        descriptor = open_file(file)
        with os.fdopen(descriptor, "rb") as source:
            content = source.read()
    except OSError:
        return 0
    ignored = 0
    for line in content.split(b"\n"):
        if line.startswith(b'{"key":"') and line[_KEY_END : _KEY_END + 1] == b'"':
            lines[line[_KEY_AT:_KEY_END].decode("latin-1")] = line
        elif line:
            ignored += 1
    return ignored


def describe_use(write_error: str | None, oldest_used_s: float) -> list[str]:
    """Return the notes on a cache: why it stores nothing, and how old the answers are that it gave."""
    notes = [write_error] if write_error else []
    if oldest_used_s >= MIN_NOTED_AGE_S:
        minutes = round(oldest_used_s / 60)
        age = f"{minutes} min" if minutes < 60 else f"{round(minutes / 60)} h"
        notes.append(f"Cached answers are up to {age} old. `--no-cache` asks again and replaces them.")
    return notes


def _list_segments(folder: Path, *, oldest: str) -> list[Path]:
    """Return the files in use, oldest first, and remove those that are past use."""
    files = sorted(folder.glob("answers-????-??-??.jsonl"))
    for file in files:
        if file.stem.removeprefix("answers-") < oldest:
            with suppress(OSError):
                file.unlink()
    return [file for file in files if file.stem.removeprefix("answers-") >= oldest]


class _WrittenLines:
    """Where the lines stand that this run wrote: in memory, those of a large run would be more than all else."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        """Beginning and length in the file being written, as one number, by digest."""

    def add(self, key: str, end: int, length: int) -> None:
        if length < MAX_LINE_BYTES:
            self._places[bytes.fromhex(key)] = (end - length) * MAX_LINE_BYTES + length

    def read(self, key: str, segment: int | None) -> bytes | None:
        place = self._places.get(bytes.fromhex(key))
        if place is None or segment is None:
            return None
        start, length = divmod(place, MAX_LINE_BYTES)
        try:
            return read_at(segment, length, start)
        except OSError:
            return None

    def forget(self, key: str) -> None:
        self._places.pop(bytes.fromhex(key), None)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
