"""Answers for a judge: both notations are read, and what cannot be read is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.requestlog.answers import LoggedAnswer, read_answers

MESSAGES = [
    {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
    {
        "role": "user",
        "parts": [{"type": "text", "content": "Hi"}, {"type": "blob"}, {"type": "text", "content": "you"}],
    },
]
OUTPUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Zoë 🦊"}], "finish_reason": "stop"}]


def read(path: Path, *lines: Any) -> list[LoggedAnswer]:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return list(read_answers([path]))


def test_texts_and_messages_are_read_and_other_lines_passed_over(tmp_path: Path) -> None:
    rows = read(
        tmp_path / "a.jsonl",
        {"promptci.request": "a", "gen_ai.input.messages": "hi", "gen_ai.output.messages": "hello"},
        {"promptci.request": "b", "gen_ai.prompt.name": "order"},
        {"gen_ai.response.id": "c", "gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": OUTPUT},
        {"promptci.request": "d", "gen_ai.input.messages": "x", "gen_ai.output.messages": [{"content": "plain"}]},
        {"promptci.request": "e", "gen_ai.input.messages": "x", "gen_ai.output.messages": [{"parts": 5}]},
    )
    assert rows == [
        ("a", "hi", "hello"),
        ("c", "system: Be kind.\n\nuser: Hi\nyou", "Zoë 🦊"),
        ("d", "x", "plain"),
        ("e", "x", ""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([], "a.jsonl:1: the line is not an object"),
        ({"gen_ai.output.messages": "x"}, "a.jsonl:1: `promptci.request` is missing"),
        ({"promptci.request": 5, "gen_ai.output.messages": "x"}, "a.jsonl:1: `promptci.request` is missing"),
        ({"promptci.request": "a", "gen_ai.output.messages": "x"}, "`gen_ai.input.messages` is neither a text"),
        ({"promptci.request": "a", "gen_ai.input.messages": "x", "gen_ai.output.messages": ["x"]}, "is neither a text"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, line: Any, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        read(tmp_path / "a.jsonl", line)


def test_bytes_that_are_no_text_and_files_that_went_away_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_answers([path]))
    with pytest.raises(InputError, match="it cannot be read"):
        list(read_answers([tmp_path / "gone"]))
