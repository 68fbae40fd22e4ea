"""Globs: what they match, and that no pattern is slow or breaks."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import GitError
from promptci.git import globs


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            "prompts/**/*.prompt.yml",
            ["prompts/a.prompt.yml", "prompts/x/y/a.prompt.yml"],
            ["prompts/a.yml", "x/prompts/a.prompt.yml"],
        ),
        ("goldens/a.*", ["goldens/a.jsonl", "goldens/a.labels.jsonl"], ["goldens/ab.jsonl", "goldens/a/b.jsonl"]),
        ("**/*.md", ["a.md", "x/y.md"], ["a.mdx"]),
        ("docs/**", ["docs/a", "docs/x/y"], ["docs"]),
        ("{a,b}/?.txt", ["a/x.txt", "b/y.txt"], ["c/x.txt", "a/xy.txt"]),
        ("[a-c]*.txt", ["b1.txt"], ["d.txt", "a/b.txt"]),
        ("[!a]*", ["b"], ["a", "/"]),
        ("./a.txt", ["a.txt"], ["b/a.txt"]),
        ("a{b", ["a{b"], ["ab"]),
        ("a+b(c).txt", ["a+b(c).txt"], ["aab(c).txt"]),
    ],
)
def test_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not globs.matches(pattern, path)] == []
    assert [path for path in no if globs.matches(pattern, path)] == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20))
def test_an_escaped_name_matches_itself_and_nothing_longer(name: str) -> None:
    assert globs.matches(f"goldens/{globs.escape(name)}.*", f"goldens/{name}.jsonl")
    assert not globs.matches(f"goldens/{globs.escape(name)}", f"goldens/{name}x")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("**", ["a", "a/b/c"], []),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/bb"]),
        ("prompts/**.yml", ["prompts/a.yml", "prompts/x/y.yml"], ["a.yml", "prompts/a.yaml"]),
        ("{{a,b},c}.txt", ["a.txt", "b.txt", "c.txt"], ["{a,b}.txt"]),
        ("{x{a,b}", ["{xa", "{xb"], ["xa", "{x"]),
        ("{a}", ["{a}"], ["a"]),
        ("a{,.b}.txt", ["a.txt", "a.b.txt"], ["a..txt"]),
        ("{a,b}/{c,d/**}", ["a/c", "b/d/e/f"], ["a/d", "a/e"]),
        (".github/**", [".github/prompts/a.prompt.yml"], ["x/.github/a"]),
        ("*", [".hidden", "a\nb"], ["a/b"]),
        ("[z-a]", [], ["a", "z"]),
        ("[!]", ["[!]"], ["!"]),
        ("[]]", ["]"], ["[]"]),
        ("[a&&b]", ["a", "&"], ["c"]),
        ("", [""], ["a"]),
    ],
)
def test_globs_that_trip_others(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not globs.matches(pattern, path)] == []
    assert [path for path in no if globs.matches(pattern, path)] == []


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 100 + "b", "a" * 2000),
        ("**/" * 30 + "b", "a/" * 500 + "c"),
        ("**/a/" * 30 + "b", "a/" * 500 + "c"),
        ("[a-" * 300, "a" * 300),
        ("{a,b}" * 8 + "c", "a" * 8),
    ],
)
def test_no_pattern_is_slow(pattern: str, path: str) -> None:
    started = time.process_time()
    assert not globs.matches(pattern, path)
    assert time.process_time() - started < 30


@pytest.mark.parametrize("pattern", ["{a,b}" * 20, "a**" * 60, "{" * 100, "a" * 2001])
def test_a_pattern_nobody_means_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(GitError, match="shorter patterns"):
        globs.matches(pattern, "a")


signs = st.text(st.sampled_from("ab/*?[]!{},-^.\\\n"), max_size=14)


@given(signs, signs)
def test_no_pattern_breaks(pattern: str, path: str) -> None:
    globs.matches(pattern, path)


def as_regex(pattern: str) -> str:
    """Spell a pattern of letters, `*`, `**/` and `?` as the regular expression that a textbook gives."""
    words = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(piece, re.escape(piece)) for piece in re.findall(r"\*\*/|.", pattern))


parts = st.text("ab*?", min_size=1, max_size=4).filter(lambda text: "**" not in text)
names = st.text("ab", min_size=1, max_size=3)


@given(
    st.lists(parts | st.just("**"), min_size=1, max_size=5).filter(lambda result: result[-1] != "**"),
    st.lists(names, min_size=1, max_size=5),
)
def test_matching_agrees_with_the_textbook(pattern_parts: list[str], path_parts: list[str]) -> None:
    pattern, path = "/".join(pattern_parts), "/".join(path_parts)
    assert globs.matches(pattern, path) == (re.fullmatch(as_regex(pattern), path) is not None)


@given(st.lists(signs, max_size=8), signs)
def test_selecting_is_matching_one_by_one(paths: list[str], pattern: str) -> None:
    in_order = sorted(paths)
    assert globs.filter_paths(pattern, in_order) == [path for path in in_order if globs.matches(pattern, path)]


@pytest.mark.parametrize(
    "pattern", ["goldens/a.*", "./goldens/a.*", "goldens/*", "goldens/a*.jsonl", "*/a.jsonl", "*", "b"]
)
def test_a_pattern_with_one_sign_selects_what_it_matches(pattern: str) -> None:
    paths = sorted(
        [
            "b",
            "goldens/a.jsonl",
            "goldens/a.csv",
            "goldens/a",
            "goldens/ab.jsonl",
            "goldens/a.d/x",
            "goldens/a.\U0010ffff",
        ]
    )
    selected = globs.filter_paths(pattern, paths)
    assert selected == [path for path in paths if globs.matches(pattern, path)]
    assert selected


def test_a_thousand_prompts_find_their_goldens_among_ten_thousand_files_quickly() -> None:
    paths = sorted(["src/goldens/p7.jsonl", *(f"src/{i // 100}/{i}.txt" for i in range(10_000))])
    started = time.process_time()
    results = [path for i in range(1000) for path in globs.filter_paths(f"src/goldens/p{i}.*", paths)]
    assert results == ["src/goldens/p7.jsonl"]
    assert time.process_time() - started < 30
