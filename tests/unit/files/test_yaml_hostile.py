"""YAML and JSON lines that attack or surprise, read by both of PyYAML's parsers."""

import json
import re
import sys
import time
import tracemalloc
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.daily import some_daily

from promptci.errors import InputError
from promptci.files import lines, strict_yaml

PARSERS = [yaml.SafeLoader, strict_yaml.PARSER]
both = pytest.mark.parametrize("parser", PARSERS, ids=["python", "default"])


def problems(text: str, parser: Any = strict_yaml.PARSER) -> list[str]:
    with pytest.raises(InputError) as caught:
        strict_yaml.load(text, "f.yml", parser)
    return [str(problem) for problem in caught.value.problems]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
BOMBS = {
    "billion laughs": LAUGHS,
    "merge keys": MERGES,
    "contains itself": "&a [*a]",
    "lists": "[" * 200_000,
    "maps": "{a: " * 50_000,
    "closed lists": "[" * 60 + "]" * 60,
    "dashes": "- " * 50_000 + "x",
    "questions": "? " * 50_000 + "x",
    "indents": "".join(" " * i + "a:\n" for i in range(1000)),
    "many values": "[" + "1," * 100_000 + "1]",
    "many keys": "\n".join(f"k{i}: v" for i in range(120_000)),
    "too long": "x" * (strict_yaml.MAX_BYTES + 1),
    "too long in bytes": "é" * (strict_yaml.MAX_BYTES // 2 + 1),
    "digits": "a: " + "9" * 500_000,
    "version": "%YAML 1." + "1" * 5000 + "\n---\na: 1\n",
    "brackets unclosed in many maps": "{a: [" * 20_000,
    "anchors": "".join(f"- &a{i} x\n" for i in range(20_000)),
}


@both
@pytest.mark.parametrize("text", some_daily(BOMBS.values(), 7), ids=BOMBS)
def test_bombs_are_refused_soon(text: str, parser: Any) -> None:
    started = time.process_time()
    assert problems(text, parser)
    # A fifth of a second and two of them on a quiet machine, many times that under a tracer; a bomb takes for ever.
    assert time.process_time() - started < 30


@pytest.mark.long
def test_the_largest_file_that_is_read_costs_little_memory() -> None:
    text = "\n".join(f"k{i}: v" for i in range(49_000))
    tracemalloc.start()
    strict_yaml.load(text, "f.yml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 256 * 2**20


@both
@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yml:3: the key `a` stands twice, first on line 1"),
        ("a: {x: 1, x: 2}\n", "f.yml:1: the key `x` stands twice"),
        ("1: a\n'1': b\n", "f.yml:2: the key `1` stands twice"),
        ("a: &x 1\n", "f.yml:1: the anchor `&x` is refused"),
        ("a: 1\nb: *x\n", "f.yml:2: the alias `*x` is refused"),
        ("a:\n  <<: {b: 1}\n", "f.yml:2: the merge key `<<` is refused"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "f.yml:1: the tag `tag:yaml.org,2002:python/object/apply:os.system` is refused",
        ),
        ("a: !!python/name:os.system ''\n", "the tag"),
        ("a: !!binary aGk=\n", "the tag"),
        ("a: !!set {x}\n", "the tag"),
        ("a: !!int '3'\n", "the tag"),
        ("a: !mine {x: 1}\n", "the tag `!mine` is refused"),
        ("!!python/tuple [1]\n", "the tag"),
        ("!!timestamp a: 1\n", "the tag"),
        ("? [a]\n: b\n", "f.yml:1: a key is not plain text"),
        ("a: 1\n? \n: b\n", "f.yml:2: a key is empty"),
        ("a: 1\n---\nb: 2\n", "a second document begins here"),
        ("a: .nan\n", "`.nan` is not a number JSON has"),
        ("a: -.INF\n", "`-.INF` is not a number JSON has"),
        ("a: 1e999\n", "a number is too large"),
        ("a: 123456789012345678901\n", "a whole number is over 64 bits"),
        ('a: "\\UFFFFFFFF"\n', "not valid YAML"),
        ('a: "\\U00110000"\n', "not valid YAML"),
        ("a: 'x\n", "not valid YAML"),
        ("a: [1\nb: 2\n", "not valid YAML"),
        ("\ta: 1\n", "f.yml:1: not valid YAML: a tab indents the line. Indent with blanks"),
        ("a:\n  b: 1\n\tc: 2\n", "f.yml:3: not valid YAML: a tab indents the line"),
        ("a: 1\nb: x\u2028\n", "f.yml:2: the character U+2028 cannot stand in YAML"),
        ("a: x\x85y\n", "the character U+0085 cannot stand in YAML"),
        ("a: x\x07y\n", "the character U+0007 cannot stand in YAML"),
        ("a: \ud800\n", "the character U+D800 cannot stand in YAML"),
    ],
)
def test_what_makes_yaml_surprising_is_refused_in_words(text: str, output: str, parser: Any) -> None:
    result = problems(text, parser)
    assert any(output in message for message in result), result


def test_half_a_surrogate_pair_is_refused_by_both_parsers() -> None:
    assert "`\\ud800` is half of a surrogate pair" in problems('a: "\\ud800"\n', yaml.SafeLoader)[0]
    assert problems('a: "\\ud800"\n')


@both
def test_all_mistakes_of_a_file_come_at_once(parser: Any) -> None:
    result = problems("a: &x 1\nb: *x\nb: .inf\nc: !!set {}\n", parser)
    assert [message.split(": ")[0] for message in result] == ["f.yml:1", "f.yml:2", "f.yml:3", "f.yml:3", "f.yml:4"]


@both
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("True", True), ("FALSE", False), ("tRue", "tRue"), ("Off", "Off"), ("NULL", None), ("none", "none"),
        ("-0", 0), ("+5", 5), ("-12", -12), ("00", "00"), ("1_000", "1_000"), ("0x1F", "0x1F"), ("0o17", "0o17"),
        ("0b1", "0b1"), (".5", 0.5), ("5.", 5.0), ("-1.5e-3", -0.0015), ("1e", "1e"), ("1.2.3", "1.2.3"),
        ("12e3", 12000.0), ("18446744073709551615", 2**64 - 1), ("-9223372036854775808", -(2**63)),
        ("190:20:30", "190:20:30"), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), ("=", "="), (".", "."),
        ("'true'", "true"), ('"1"', "1"), ("!!str 1", "1"), ("! 1", "1"), ("'<<'", "<<"), ("|-\n  12", "12"),
        (">-\n  a\n  b", "a b"), ("...x", "...x"), ("\n- 1", [1]),
    ],
)  # fmt: skip
def test_scalars_are_what_json_would_call_them_or_text(written: str, value: object, parser: Any) -> None:
    result = strict_yaml.load(f"key: {written}\n", "f", parser).value["key"]
    assert (result, type(result)) == (value, type(value))


def test_a_scalar_is_also_given_as_written() -> None:
    document = strict_yaml.load("a: 1.10\nb: [no, 0x1F, true]\nc: {d: 'x'}\n", "f")
    places: list[tuple[str | int, ...]] = [("a",), ("b", 0), ("b", 1), ("b", 2), ("c", "d"), ("b",), ("gone",)]
    assert [document.scalar_text_of(place) for place in places] == ["1.10", "no", "0x1F", "true", "x", None, None]


safe = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(safe),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(safe, min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.sampled_from(PARSERS))
def test_json_is_yaml_for_both_parsers(value: object, parser: Any) -> None:
    assert strict_yaml.load(json.dumps(value, ensure_ascii=False), "f", parser).value == value


@given(values)
def test_what_pyyaml_writes_in_quotes_is_read_back(value: object) -> None:
    written = yaml.safe_dump({"v": json.dumps(value)}, default_style='"', allow_unicode=True)
    assert json.loads(strict_yaml.load(written, "f").value["v"]) == value


@given(st.text(st.sampled_from("a:-?[]{},&*!|>'\"%@`#\n \t0.<~\\u=é"), max_size=30))
def test_no_text_breaks_the_reader_and_what_both_parsers_read_is_the_same(text: str) -> None:
    python, default = (read_or_refused(text, parser) for parser in PARSERS)
    # They differ in where a tab may stand.
    assert python == default or "refused" in (python, default)


def read_or_refused(text: str, parser: Any) -> str:
    """Return the value, or that it was refused; whatever else comes out fails the test."""
    try:
        return json.dumps(strict_yaml.load(text, "f", parser).value)
    except InputError as error:
        return "refused" if error.problems else "silent"


def test_a_line_of_many_keys_with_one_twice_is_refused_quickly() -> None:
    line = "{" + ",".join(f'"k{i}":1' for i in range(200_000)) + ',"k199999":1}'
    started = time.process_time()
    _, (problem,) = lines.parse_jsonl(line, "f.jsonl")
    assert "`k199999` stands twice" in problem.message
    assert time.process_time() - started < 30


BOMB_LINES = ["[" * 500_000, '{"a":' * 100_000, '"\\"' * 300_000, "1" * 1_000_000, '"\\u' * 200_000]


@pytest.mark.parametrize("line", BOMB_LINES, ids=range(5))
def test_json_bombs_are_refused_quickly(line: str) -> None:
    started = time.process_time()
    assert lines.parse_jsonl(line, "f.jsonl")[1]
    assert time.process_time() - started < 30


def test_the_line_ends_of_json_lines_are_line_feeds_only() -> None:
    assert lines.parse_jsonl('"a\u2028b\u0085c"\n\n"d"', "f") == ([(1, "a\u2028b\u0085c"), (3, "d")], [])


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ('{"a": 1},', "Remove the comma at the end of the line."),
        ("[", "Write each object on one line, without a list around them."),
        ("{'a': 1}", "Write \" in place of '."),
        ('{"a": NaN}', "Write a finite number, null, or text in quotes."),
        ('{"a": 18446744073709551616}', "Write it as text, in quotes."),
        ('{"a": -Infinity}', "Write a finite number, null, or text in quotes."),
        ('{"a": "\\udc00"}', "Write the whole character."),
    ],
)
def test_each_fault_of_a_line_comes_with_its_remedy(line: str, fix: str) -> None:
    assert [problem.hint for problem in lines.parse_jsonl(line, "f")[1]] == [fix]


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert lines.parse_json('"\\ud83d\\ude00"') == "😀"


@given(st.binary(max_size=40))
def test_any_bytes_are_text_or_refused_with_a_line(data: bytes) -> None:
    try:
        text = lines.decode_utf8(data, "f")
    except InputError as error:
        if error.problems[0].line is None:
            raise AssertionError from error
    else:
        assert "\r" not in text
        kept = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"").replace(b"\n", b"")
        assert text.replace("\n", "").encode() == kept


def test_exactly_these_characters_are_refused() -> None:
    allowed = re.compile("[\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    refused = [character for character in map(chr, range(sys.maxunicode + 1)) if not allowed.match(character)]
    assert [character for character in refused if strict_yaml.find_unwanted_character(character) is None] == []
    others = "".join(map(chr, range(sys.maxunicode + 1))).translate(dict.fromkeys(map(ord, refused)))
    assert strict_yaml.find_unwanted_character(others) is None
    first = strict_yaml.find_unwanted_character("a\u2028b\x00")
    assert first is not None
    assert first.start() == 1
