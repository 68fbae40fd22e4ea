import pytest

from promptci.git import globs
from promptci.prompts.idle_patterns import IdlePattern, find_idle_patterns

FILES = ("README.md", "prompts/order.j2", "prompts/a/b.prompt.yml", "src/prompts.py", "node_modules/prompts/x.j2")


class Files:
    def paths(self) -> tuple[str, ...]:
        return FILES

    def glob(self, pattern: str) -> list[str]:
        return [path for path in FILES if globs.matches(pattern, path)]


@pytest.mark.parametrize(
    ("pattern", "meant", "missed"),
    [
        ("prompt/*.j2", "prompts/*.j2", ("prompts/order.j2",)),
        ("promts/**/*.prompt.yml", "prompts/**/*.prompt.yml", ("prompts/a/b.prompt.yml",)),
        ("prompts/ordr.j2", "prompts/order.j2", ("prompts/order.j2",)),
        ("prompts/*.jj2", "prompts/*.j2", ("prompts/order.j2",)),
        ("src/promps.py:SYSTEM", "src/prompts.py:SYSTEM", ("src/prompts.py",)),
        ("evals/*.csv", "", ()),
    ],
)
def test_a_pattern_without_files_is_named_with_what_was_meant(
    pattern: str, meant: str, missed: tuple[str, ...]
) -> None:
    assert list(find_idle_patterns(Files(), [pattern])) == [
        IdlePattern(index=0, pattern=pattern, meant=meant, missed=missed)
    ]


def test_files_that_another_pattern_reaches_are_not_missed() -> None:
    assert [idle.missed for idle in find_idle_patterns(Files(), ["prompts/*.j2", "prompt/*.j2"])] == [()]
