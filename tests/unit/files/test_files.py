"""Text read strictly, values in one canonical form, files written whole."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.files import canonical, lines, packaged, strict_yaml, write

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=12,
)


def yaml_problem(text: str) -> str:
    with pytest.raises(InputError) as caught:
        strict_yaml.load(text, "f.yml")
    return str(caught.value.problems[0])


@given(json_values)
def test_json_is_yaml_and_reads_as_the_same_value(value: object) -> None:
    assert strict_yaml.load(json.dumps(value, ensure_ascii=False), "f").value == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", True), ("null", None), ("~", None), ("", None), ("12", 12),
        ("0123", "0123"), ("1:30", "1:30"), ("1e3", 1000.0), ("2026-01-02", "2026-01-02"), ("1.5", 1.5), ("'12'", "12"),
    ],
)  # fmt: skip
def test_scalars_are_what_they_look_like(written: str, value: object) -> None:
    result = strict_yaml.load(f"key: {written}\n", "f").value["key"]
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "f.yml:2:"),
        ("a: &x 1\nb: *x\n", "f.yml:1:"),
        ("a:\n  <<: {b: 1}\n", "f.yml:2:"),
        ("a: !!python/object/apply:os.system ['x']\n", "f.yml:1:"),
        ("a: .nan\n", "f.yml:1:"),
        ("a: [1\nb: 2\n", "f.yml:2:"),
        ("---\na: 1\n---\nb: 2\n", "f.yml:"),
        ("a: 123456789012345678901234567890\n", "64 bits"),
        ("a: \x01\n", "U+0001"),
    ],
)
def test_what_makes_yaml_surprising_is_refused_with_its_line(text: str, message: str) -> None:
    assert message in yaml_problem(text)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, "[" * 20_000, "{a: " * 5_000, "- " * 5_000 + "x", "x" * (2**20 + 1)])
def test_bombs_are_refused_at_once(text: str) -> None:
    started = time.process_time()
    assert yaml_problem(text)
    assert time.process_time() - started < 30


def test_every_place_of_a_document_has_its_line() -> None:
    document = strict_yaml.load("a: 1\nb:\n  - x\n  - c: |\n      one\n      two\n", "f")
    assert [document.line_of(p) for p in ((), ("a",), ("b",), ("b", 1), ("b", 1, "c"), ("gone",))] == [1, 1, 2, 4, 4, 1]
    assert document.text_line_of(("b", 1, "c"), 1) == 6


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"ok\na\x00b", ":2: the file holds a NUL byte"),
        (b"one\ncaf\xe9", ":2: the file is not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lines.decode_utf8(data, "f.txt")


def test_a_byte_order_mark_and_line_endings_do_not_count() -> None:
    assert lines.decode_utf8(b"\xef\xbb\xbfa\r\nb\rc", "f") == "a\nb\nc"


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', "NaN", "Infinity", "[1,]", "{'a': 1}", "1" * 5000, '"\\ud800"', "[" * 5000, "", "{} {}"],
)
def test_json_that_tools_read_differently_is_refused(text: str) -> None:
    with pytest.raises(lines.JsonError):
        lines.parse_json(text)


@given(json_values)
def test_json_is_read_back(value: object) -> None:
    assert lines.parse_json(json.dumps(value)) == value


def test_json_lines_name_every_bad_line() -> None:
    values, problems = lines.parse_jsonl('{"a": 1}\n\n{bad}\n{"b": NaN}\n[1]\n', "f.jsonl")
    assert values == [(1, {"a": 1}), (5, [1])]
    assert [str(p).split(": ")[0] for p in problems] == ["f.jsonl:3", "f.jsonl:4"]


@given(json_values)
def test_equal_values_have_equal_digests_whatever_their_order(value: object) -> None:
    shuffled = json.loads(json.dumps(value, sort_keys=True))
    assert canonical.digest(value) == canonical.digest(shuffled)


def test_whole_floats_are_integers_and_other_values_differ() -> None:
    assert canonical.digest({"t": 1.0}) == canonical.digest({"t": 1})
    assert canonical.digest([1, "1"]) != canonical.digest(["1", 1])
    assert canonical.digest((1, 2)) == canonical.digest([1, 2])


@given(st.lists(json_values, max_size=4), st.lists(json_values, max_size=4))
def test_a_digest_of_what_comes_one_by_one_is_that_of_the_whole(values: list[object], items: list[object]) -> None:
    assert canonical.digest_all(iter(items)) == canonical.digest(items)
    assert canonical.digest_with(values, iter(items)) == canonical.digest([*values, items])


def test_a_file_is_replaced_whole_and_a_link_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "deep" / "link"
    target.write_text("keep")
    link.parent.mkdir()
    link.symlink_to(target)
    write.write_text(link, "new \ud800")
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("keep", "new \\ud800", False)
    assert [path.name for path in link.parent.iterdir()] == ["link"]


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "is-a-folder"
    (folder / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write.write_bytes(folder, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["is-a-folder"]


def test_templates_and_the_example_are_found_in_the_source_tree() -> None:
    assert (packaged.find_packaged_folder("templates") / "init" / "promptci.yml").is_file()
    assert (packaged.find_packaged_folder("example-repo") / "goldens").is_dir()
