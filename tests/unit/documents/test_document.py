"""Every file format: what is written is read back, and what is wrong with a file is named with its line."""

import importlib
import json
import os
import pkgutil
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field

import promptci
from promptci.documents import document
from promptci.documents.document import Document
from promptci.documents.line_format import LineFormat
from promptci.documents.position import line_of
from promptci.errors import InputError, Problem


class Example(Document):
    """A format for these tests."""

    MAX_BYTES: ClassVar[int] = 2**22
    HINT: ClassVar[str] = "Write it again."

    schema_: Literal["promptci/example/v1"] = Field(default="promptci/example/v1", alias="schema")
    names: list[str]
    count: int | None = None


def problem(text: str | bytes) -> Problem:
    with pytest.raises(InputError) as caught:
        Example.parse(text, "example.json")
    return caught.value.problems[0]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.none() | st.integers(-(2**63), 2**63 - 1))
def test_what_is_dumped_is_parsed_back_and_matches_the_published_schema(names: list[str], count: int | None) -> None:
    example = Example(names=names, count=count)
    assert Example.parse(example.dump().encode(), "x") == example
    assert Example.parse(example.dump(), "x").dump() == example.dump()
    Draft202012Validator(Example.json_schema()).validate(json.loads(example.dump()))


def test_a_long_document_is_written_without_indentation() -> None:
    assert Example(names=["a"]).dump().count("\n") > 3
    assert Example(names=["a" * document.MAX_INDENTED_CHARS]).dump().count("\n") == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('{\n  "schema": "promptci/example/v2",\n  "names": []\n}', 2, "expected `promptci/example/v1`"),
        ("[]", None, "`schema` is null"),
        ('{"schema": "promptci/example/v1",\n\n "names": "x"}', 3, "`names`"),
        ('{"schema": "promptci/example/v1",\n "names": [\n"a",\n7\n]}', 4, "`names.1`"),
        ('{"schema": "promptci/example/v1"}', None, "`names`: Field required"),
        ('{"schema": "promptci/example/v1", "names": [],\n "nmaes": []}', 2, "`nmaes`: Extra inputs"),
        ('{"schema": "promptci/example/v1",\n "names": [1,}', 2, "not valid JSON"),
        ('{"schema": "promptci/example/v1", "names": [], "count": NaN}', None, "NaN is not JSON"),
        ("[" * 5000, None, "nested deeper"),
        (b"\xff\xfe", 1, "UTF-16"),
        (" " * 2**22 + "{}", None, "larger than 4 MiB"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str | bytes, line: int | None, message: str) -> None:
    result = problem(text)
    assert (result.path, result.line) == ("example.json", line)
    assert message in result.message


def test_a_file_is_read_within_its_bound_and_never_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    target.write_text(Example(names=["a"]).dump())
    assert Example.load(target).names == ["a"]
    (tmp_path / "link.json").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "large.json").write_bytes(b" " * (2**22 + 1))
    for name, message in {
        "link.json": "cannot be read",
        "pipe.json": "not a regular file",
        "large.json": "larger than 4 MiB",
        "none.json": "No such file",
        ".": "not a regular file",
    }.items():
        with pytest.raises(InputError) as caught:
            Example.load(tmp_path / name)
        assert message in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\n", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.data())
def test_a_line_is_that_of_the_value(value: object, data: st.DataObject) -> None:
    """Every value gets a text of its own on a line of its own; the line found must hold the value."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    path: list[str | int] = []
    inner = value
    while isinstance(inner, dict | list) and inner:
        step = data.draw(st.sampled_from(list(inner) if isinstance(inner, dict) else list(range(len(inner)))))
        path.append(step)
        inner = inner[step]
    if not path:
        assert line_of(text, path) is None
        return
    line = line_of(text, path)
    assert line is not None
    row = text.split("\n")[line - 1]
    start = json.dumps(inner, ensure_ascii=False)[:1]
    assert start in row


@dataclass(frozen=True)
class Red:
    size: int


@dataclass(frozen=True)
class Blue:
    name: str | None


LINES: LineFormat[Red | Blue] = LineFormat("promptci/colours/v1", {"red": Red, "blue": Blue})


def test_lines_are_read_back_by_their_kind_and_match_the_schema() -> None:
    validator = Draft202012Validator(LINES.json_schema())
    for line in (Red(3), Blue("x"), Blue(None)):
        value = LINES.to_value(line)
        validator.validate(value)
        assert LINES.from_value(value) == line
    assert not validator.is_valid({"schema": "promptci/colours/v1", "kind": "red", "name": "x"})
    assert LINES.from_value({"schema": "promptci/colours/v1", "kind": "green"}) is None
    assert LINES.from_value({"schema": "promptci/colours/v2", "kind": "red", "size": 1}) is None
    with pytest.raises(ValueError, match="`size`"):
        LINES.from_value({"schema": "promptci/colours/v1", "kind": "red", "size": "many"})


def test_every_format_has_a_published_schema() -> None:
    for module in pkgutil.walk_packages(promptci.__path__, "promptci."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    generate = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "generate_docs.py"))
    formats = {cls for cls in Document.__subclasses__() if cls.__module__.startswith("promptci.")}
    shipped = {cls for cls in formats if cls.schema_id() == "promptci/report/v1"}
    assert formats - shipped == set(generate["DOCUMENTS"])
    ids = [cls.schema_id() for cls in formats]
    assert len(set(ids)) == len(ids)
