"""Read a large golden file case by case: JSON Lines, a list in JSON, or a table."""

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field, replace
from typing import IO

from promptci import redact
from promptci.errors import Problem
from promptci.files.lines import MAX_PROBLEMS, JsonError, decode_utf8, parse_json
from promptci.goldens.formats import csv_goldens
from promptci.goldens.formats.jsonl_goldens import iterate_values
from promptci.goldens.large.json_list import iterate_cases
from promptci.goldens.large.stored_variables import VariableStore
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass

CHUNK_BYTES = 2**20
MAX_LINE_CHARS = 2**24
MAX_KEY_LINES = 3
"""Lines of one file that are named for holding what looks like a key."""
_BLOCK_CHARS = 2**18


@dataclass(kw_only=True, slots=True)
class StreamedFile:
    """What was found in a file."""

    cases: list[Case] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    key_lines: list[int] = field(default_factory=list)
    """The first lines that hold what looks like a key."""


def stream_goldens(path: str, file: IO[bytes], suffix: str, store: VariableStore) -> StreamedFile:
    """Read the cases of a file, and keep their variables in the store.

    Raises
    ------
    InputError
        For a file that is no UTF-8 text.
    """
    _check_encoding(path, file)
    streamed = StreamedFile()
    text = io.TextIOWrapper(file, encoding="utf-8-sig")
    try:
        for case in STREAMS[suffix](path, text, streamed):
            streamed.cases.append(replace(case, vars=store.add(case.vars)))
    finally:
        text.detach()  # the file is the caller's to close
    return streamed


def _check_encoding(path: str, file: IO[bytes]) -> None:
    """Raise InputError where the file is no UTF-8 text, as `decode_utf8` does for a small one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    first = file.read(CHUNK_BYTES)
    piece = first
    try:
        while piece:
            if b"\0" in piece:
                break
            decoder.decode(piece)
            piece = file.read(CHUNK_BYTES)
        else:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        piece = b"\0"
    file.seek(0)
    if piece or first.startswith(b"version https://git-lfs"):
        decode_utf8(file.read(), path)  # tells what is wrong, and where
        file.seek(0)


def _stream_lines(path: str, text: IO[str], streamed: StreamedFile) -> Iterator[Case]:
    values = _parse_texts(path, _iterate_lines(path, text, streamed), streamed)
    return iterate_values(path, values, streamed.problems)


def _stream_list(path: str, text: IO[str], streamed: StreamedFile) -> Iterator[Case]:
    def elements() -> Iterator[tuple[int, str]]:
        try:
            for line, element in iterate_cases(text):
                _note_key(line, element, streamed)
                yield line, element
        except JsonError as error:
            streamed.problems.append(Problem(path=path, message=error.message, hint=error.hint))

    return iterate_values(path, _parse_texts(path, elements(), streamed), streamed.problems)


def _stream_table(separator: str | None = None) -> Callable[[str, IO[str], StreamedFile], Iterator[Case]]:
    def stream(path: str, text: IO[str], streamed: StreamedFile) -> Iterator[Case]:
        head = text.read(_BLOCK_CHARS) + text.readline(MAX_LINE_CHARS)
        numbered = _number_lines(path, _chain_lines(head, text), streamed)
        return csv_goldens.iterate_rows(path, head, (line for _, line in numbered), streamed.problems, separator)

    return stream


def _chain_lines(head: str, text: IO[str]) -> Iterator[str]:
    yield from io.StringIO(head)
    while line := text.readline(MAX_LINE_CHARS):
        yield line


def _iterate_lines(path: str, text: IO[str], streamed: StreamedFile) -> Iterator[tuple[int, str]]:
    filled = (pair for pair in _number_lines(path, _chain_lines("", text), streamed) if pair[1].strip())
    return ((number, line.removesuffix("\n")) for number, line in filled)


def _number_lines(path: str, texts: Iterable[str], streamed: StreamedFile) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, and note those that hold what looks like a key."""
    for number, line in enumerate(texts, start=1):
        if len(line) >= MAX_LINE_CHARS:
            message = f"the line is longer than {MAX_LINE_CHARS // 2**20} million characters"
            hint = "Write one case on each line; no model reads so long a text."
            streamed.problems.append(Problem(path=path, line=number, message=message, hint=hint))
            return
        _note_key(number, line, streamed)
        yield number, line


def _note_key(number: int, text: str, streamed: StreamedFile) -> None:
    if len(streamed.key_lines) < MAX_KEY_LINES and redact.looks_like_key(text):
        streamed.key_lines.append(number)


def _parse_texts(path: str, texts: Iterable[tuple[int, str]], streamed: StreamedFile) -> Iterator[tuple[int, object]]:
    """Yield the value of each text; name those that cannot be read, and stop after as many as anyone reads."""
    for number, text in texts:
        try:
            yield number, parse_json(text)
        except JsonError as error:
            streamed.problems.append(Problem(path=path, line=number, message=error.message, hint=error.hint))
            if len(streamed.problems) > MAX_PROBLEMS:
                return


STREAMS: dict[str, Callable[[str, IO[str], StreamedFile], Iterator[Case]]] = {
    ".jsonl": _stream_lines,
    ".ndjson": _stream_lines,
    ".json": _stream_list,
    ".csv": _stream_table(),
    ".tsv": _stream_table("\t"),
}
"""Readers by the end of the file's name. YAML has a limit of its own, and binary formats have readers of their own."""
