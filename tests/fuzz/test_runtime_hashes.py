"""Python, JavaScript and SQL put any key into the same arm, whatever characters it is made of."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import runtime_readers
from support.runtime_readers import VECTORS, NodeReader, Reader, bundle

from promptci import runtime

PAGE = Path(__file__).parents[2] / "docs" / "bundle.md"
TEXT = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(["é", "e\u0301", "a\nb", "\0", "\ud800", "🦊"])
LINES = st.lists(st.tuples(TEXT.filter(bool), TEXT, st.integers(0, 10_000)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def node() -> Iterator[Reader]:
    with runtime_readers.started_node() as process:
        yield NodeReader(process)


@pytest.fixture(scope="module")
def query() -> str:
    (sql,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(sql)


def compute_arms(reader: Reader, path: Path, lines: "list[tuple[str, str, int]]") -> list[str]:
    """Return the arm of each key in a bundle with a prompt for each line."""
    version: dict[str, Any] = next(iter(VECTORS["bundle"]["prompts"].values()))["stable"]
    prompts = {
        str(number): {"stable": version, "canary": version, "salt": salt, "share": share}
        for number, (salt, _, share) in enumerate(lines)
    }
    path.write_text(bundle(prompts=prompts), encoding="utf-8")
    reader.load(str(path))
    return [reader.choose(str(number), key)["arm"] for number, (_, key, _) in enumerate(lines)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_every_reader_chooses_the_same_arm(
    node: Reader, query: str, tmp_path: Path, lines: "list[tuple[str, str, int]]"
) -> None:
    lines = json.loads(json.dumps(lines))  # as a bundle and a log hold them: two halves of a pair are one character
    path = tmp_path / "bundle.json"
    arms = compute_arms(runtime_readers.PythonReader(), path, lines)
    assert compute_arms(node, path, lines) == arms
    connection = duckdb.connect()
    connection.execute("create table log (salt varchar, key varchar, share bigint, point bigint, canary boolean)")
    rows = [
        (
            *(runtime.utf8(text).decode() for text in (salt, key)),
            share,
            runtime.point(salt, key),
            arm == "canary",
        )
        for (salt, key, share), arm in zip(lines, arms, strict=True)
    ]
    connection.executemany("insert into log values (?, ?, ?, ?, ?)", rows)
    computed = connection.execute(query).fetchall()
    assert [row for row in computed if row[0] != row[1] or row[2] != row[3]] == []
