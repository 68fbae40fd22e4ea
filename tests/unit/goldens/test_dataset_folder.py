"""Folders of Hugging Face data sets as golden sets: their parts are cases, and what describes them is none."""

import json
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import run_command
from support.repositories import GOOD, PROMPT, config, prompt, serving

from promptci.errors import InputError
from promptci.goldens.dataset_folder import select_data_files
from promptci.goldens.load import load_goldens

ROWS = [{"input": f"where is GH-{number}?", "expected": f"GH-{number}"} for number in range(4)]
LINES = ["".join(json.dumps(row) + "\n" for row in ROWS[start : start + 2]) for start in (0, 2)]
HEADER = "input,expected\n"
TABLES = [HEADER + "".join(f"{row['input']},{row['expected']}\n" for row in ROWS[n : n + 2]) for n in (0, 2)]
CARD = "---\nconfigs:\n- config_name: {name}\n  data_files:\n  - split: test\n    path: {path}\n---\n# Orders\n"
INFO = json.dumps({"features": {"input": {"dtype": "string"}}, "splits": {}})


def parts(ending: str, texts: list[str]) -> dict[str, str]:
    return {f"datasets/order/data/train-0000{at}-of-00002.{ending}": text for at, text in enumerate(texts)}


@pytest.mark.parametrize(
    "files",
    [
        parts("jsonl", LINES),
        parts("json", LINES),  # lines under this ending, as `Dataset.to_json` writes them
        parts("json", [json.dumps(ROWS[:2]), json.dumps(ROWS[2:])]),
        parts("csv", TABLES),
        {"datasets/order/train/part.jsonl": LINES[0], "datasets/order/test/part.jsonl": LINES[1]},
    ],
)
def test_the_parts_are_one_golden_set(tmp_path: Path, files: dict[str, str]) -> None:
    described = {"README.md": "# Orders\n", "dataset_info.json": INFO, "dataset_dict.json": '{"splits": ["train"]}'}
    files = {**files, **{f"datasets/order/{name}": text for name, text in described.items()}}
    with serving() as server:
        sections = {"prompts": {"goldens": "datasets/{name}/**"}}
        builder = RepoBuilder(tmp_path / "shop").write({"promptci.yml": config(server, **sections), **files})
        builder.write({PROMPT: prompt(GOOD)}).commit("base")
        result = run_command(builder.path, ["run"], tmp_path / "out")
        asked = {call.last_user_message for call in server.calls}
    assert (asked, result.rules) == ({row["input"] for row in ROWS}, ("new-prompt",))


@pytest.mark.parametrize(
    ("card", "chosen"),
    [
        (CARD.format(name="default", path="data/test-*"), ["d/data/test-0.csv"]),
        (CARD.format(name="own", path="[data/test-*, extra.jsonl]"), ["d/data/test-0.csv", "d/extra.jsonl"]),
        ("---\nconfigs:\n- data_files: extra.jsonl\n- {config_name: b, default: true, data_files: data/*}\n---\n",
         ["d/data/test-0.csv", "d/data/train-0.csv"]),
        ("---\nlicense: mit\n---\n", ["d/data/test-0.csv", "d/data/train-0.csv", "d/extra.jsonl"]),
        ("---\nconfigs: [3]\n---\n", ["d/data/test-0.csv", "d/data/train-0.csv", "d/extra.jsonl"]),
        ("---\na: &a [*a]\n---\n", ["d/data/test-0.csv", "d/data/train-0.csv", "d/extra.jsonl"]),
        (CARD.format(name="default", path="../../secret.csv"), []),
    ],
)  # fmt: skip
def test_the_card_says_which_files_count(card: str, chosen: list[str]) -> None:
    paths = ["d/README.md", "d/data/test-0.csv", "d/data/train-0.csv", "d/dataset_infos.json", "d/extra.jsonl"]
    assert select_data_files(paths, lambda _: card.encode()) == chosen


def test_arrow_files_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="`to_json` or `to_parquet`"):
        load_goldens({"datasets/order/train/data-00000-of-00001.arrow": b"ARROW1"})
