"""Python, JavaScript and SQL compute the same arms, texts and requests from one file of vectors."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.runtime_readers import ORDER, VECTORS, Reader, Refused, bundle

from promptci import runtime

PAGE = Path(__file__).parents[3] / "docs" / "bundle.md"
HASHES: list[dict[str, Any]] = VECTORS["hash"]["vectors"]
SHARES: list[int] = VECTORS["hash"]["shares"]


def written(tmp_path: Path, value: dict[str, Any] | str) -> str:
    path = tmp_path / "bundle.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(path)


def test_points_in_python() -> None:
    assert [runtime.point(vector["salt"], vector["key"]) for vector in HASHES] == [vector["point"] for vector in HASHES]


def test_arms_at_every_share(reader: Reader, tmp_path: Path) -> None:
    """One prompt for each salt and share, so that one bundle asks for them all."""
    version = VECTORS["bundle"]["prompts"][ORDER]["stable"]
    salts = sorted({vector["salt"] for vector in HASHES})
    prompts = {
        f"{number}/{share}": {"stable": version, "canary": version, "share": share, "salt": salt}
        for number, salt in enumerate(salts)
        for share in SHARES
    }
    reader.load(written(tmp_path, bundle(prompts=prompts)))
    for vector in HASHES:
        number = salts.index(vector["salt"])
        chosen = [share for share in SHARES if reader.choose(f"{number}/{share}", vector["key"])["arm"] == "canary"]
        assert chosen == vector["canary"], vector


def test_arms_in_sql() -> None:
    """The expression is the one that docs/bundle.md shows."""
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    connection = duckdb.connect()
    connection.execute("create table log (salt varchar, key varchar, share bigint, point bigint, canary boolean)")
    connection.executemany(
        "insert into log values (?, ?, ?, ?, ?)",
        [
            (
                *(runtime.utf8(vector[name]).decode() for name in ("salt", "key")),
                share,
                vector["point"],
                share in vector["canary"],
            )
            for vector in HASHES
            for share in SHARES
        ],
    )
    rows = connection.execute(query).fetchall()
    assert len(rows) == len(HASHES) * len(SHARES)
    assert [row for row in rows if row[0] != row[1] or row[2] != row[3]] == []


@pytest.mark.parametrize("vector", VECTORS["fill"], ids=lambda vector: vector["template"])
def test_templates(reader: Reader, tmp_path: Path, vector: dict[str, Any]) -> None:
    value = copy.deepcopy(VECTORS["bundle"])
    value["prompts"][ORDER]["stable"]["prompt"]["messages"] = [{"role": "user", "content": vector["template"]}]
    reader.load(written(tmp_path, value))
    reader.choose(ORDER, None)
    if "missing" in vector:
        with pytest.raises(Refused, match=f"`{re.escape(vector['missing'])}`") as caught:
            reader.messages(vector["variables"])
        assert caught.value.args[0] == "PromptError"
    else:
        assert reader.messages(vector["variables"]) == [{"role": "user", "content": vector["text"]}]


@pytest.fixture(params=["", "s3cret"], ids=["no secret", "secret"])
def secret(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PROMPTCI_USER_SECRET", request.param)
    return str(request.param)


def test_what_is_chosen_and_logged(secret: str, reader: Reader, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    reader.load(written(tmp_path, VECTORS["bundle"]), log=str(log))
    compared = ("arm", "version", "model", "parameters")
    for vector in VECTORS["chosen"]:
        result = reader.choose(vector["prompt"], vector["key"])
        assert {name: result[name] for name in compared} == {name: vector[name] for name in compared}
        reader.record()
    units = [json.loads(line)["promptci.unit"] for line in log.read_text().splitlines()]
    assert units == [vector["unit_with_secret" if secret else "unit"] for vector in VECTORS["chosen"]]


def change(path: list[str], value: object) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(VECTORS["bundle"])
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["because"])
def test_what_no_reader_takes(reader: Reader, tmp_path: Path, vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        reader.load(written(tmp_path, change(vector["path"], vector["value"])))
    assert caught.value.args[0] == "BundleError"


@pytest.mark.parametrize("text", ["", "[]", "null", '{"a": NaN}', "\ufeff" + bundle(), bundle()[:-1], "[" * 100_000])
def test_what_is_no_bundle_at_all(reader: Reader, tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused) as caught:
        reader.load(written(tmp_path, text))
    assert caught.value.args[0] == "BundleError"
