"""A quarantine names case, owner, end and reason, and never hides more than a fifth of a set."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.goldens import find, quarantine
from promptci.goldens.quarantine import QuarantineEntry

PATH = "goldens/order.quarantine.yml"
TODAY = date(2026, 1, 2)
LINE = "- {case: c1, owner: Ann, until: 2026-12-31, reason: a coin flip}\n"
IDS = [f"c{i}" for i in range(10)]


def entry(case: str, until: str = "2026-12-31", line: int = 1) -> QuarantineEntry:
    return QuarantineEntry(
        case_id=case, owner="Ann", until=date.fromisoformat(until), reason="coin", path=PATH, line=line
    )


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        quarantine.parse_quarantine(text.encode(), PATH)
    return [str(problem) for problem in caught.value.problems]


def test_every_key_is_read() -> None:
    (quarantine_entry,) = quarantine.parse_quarantine(b"# why\n" + LINE.encode(), PATH)
    assert quarantine_entry == QuarantineEntry(
        case_id="c1", owner="Ann", until=date(2026, 12, 31), reason="a coin flip", path=PATH, line=2
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n"])
def test_an_empty_file_quarantines_nothing(text: str) -> None:
    assert quarantine.parse_quarantine(text.encode(), PATH) == ()


def test_the_id_of_a_case_may_be_a_number() -> None:
    (quarantine_entry,) = quarantine.parse_quarantine(LINE.replace("c1", "17").encode(), PATH)
    assert quarantine_entry.case_id == "17"


def test_a_reason_of_several_lines_becomes_one() -> None:
    (quarantine_entry,) = quarantine.parse_quarantine(
        b"- case: a\n  owner: Ann\n  until: 2026-12-31\n  reason: |\n    one\n    two\n", PATH
    )
    assert quarantine_entry.reason == "one two"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case: c1\n", ":1: a quarantine must be a list of cases"),
        ("- c1\n", ":1: a quarantined case must have exactly the keys `case`, `owner`, `until`, `reason`"),
        ("- {case: c1, owner: Ann, until: 2026-12-31}\n", ":1: a quarantined case must have exactly"),
        (LINE.replace("reason", "raeson"), ":1: a quarantined case must have exactly"),
        (LINE.replace("c1", "c1, weight: 0"), ":1: a quarantined case must have exactly"),
        (LINE.replace("Ann", "''"), ":1: `owner` must be a text"),
        (LINE.replace("Ann", "[Ann]"), ":1: `owner` must be a text"),
        (LINE.replace("Ann", "true"), ":1: `owner` must be a text"),
        (LINE.replace("a coin flip", "' '"), ":1: `reason` must be a text"),
        (LINE.replace("c1", "1.5"), ":1: `case` must be a text"),
        (LINE.replace("2026-12-31", "soon"), ":1: `until` must be a date; it is 'soon'"),
        (LINE.replace("2026-12-31", "2026-02-30"), ":1: `until` must be a date"),
        (LINE.replace("2026-12-31", "31.12.2026"), ":1: `until` must be a date"),
        (LINE.replace("2026-12-31", "'2026-W10-1'"), ":1: `until` must be a date"),
        (LINE + LINE, ":2: the case `c1` is listed twice"),
        ("- {case: [\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    (result,) = problems(text)
    assert message in result
    assert result.startswith(PATH)


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems("- a\n- b\n" + LINE.replace("Ann", "''"))) == 3


def test_a_case_is_set_aside_with_owner_end_and_reason() -> None:
    reason, notes = quarantine.excluded_reasons([entry("c1")], IDS, TODAY)
    assert (reason, notes) == ({"c1": "quarantined until 2026-12-31 by Ann: coin"}, ())


@pytest.mark.parametrize(("until", "counts"), [("2026-01-01", True), ("2026-01-02", False)])
def test_the_last_day_is_the_last_day(until: str, counts: bool) -> None:
    reason, notes = quarantine.excluded_reasons([entry("c1", until)], IDS, TODAY)
    assert ("c1" not in reason) is counts
    assert bool(notes) is counts
    assert all(
        f"{PATH}:1: the quarantine of `c1` ended on 2026-01-01 (Ann). The case counts again." == note for note in notes
    )


@pytest.mark.parametrize("until", ["2025-12-31", "2026-12-31"])
def test_an_unknown_case_is_noted_once_and_not_said_to_count(until: str) -> None:
    reason, notes = quarantine.excluded_reasons([entry("gone", until, line=4)], IDS, TODAY)
    assert (reason, notes) == ({}, (f"{PATH}:4: there is no case `gone`, so nothing is quarantined.",))


def test_a_case_that_another_file_still_quarantines_does_not_count() -> None:
    reason, notes = quarantine.excluded_reasons([entry("c1", "2025-12-31"), entry("c1")], IDS, TODAY)
    assert (list(reason), notes) == (["c1"], ())


@given(
    size=st.integers(1, 60),
    expected=st.lists(st.integers(0, 70), max_size=30),
    past=st.sets(st.integers(0, 70), max_size=10),
)
def test_never_more_than_a_fifth_of_a_set_stands_aside(size: int, expected: list[int], past: set[int]) -> None:
    """Counted by case, however often and in however many files it is listed."""
    ids = {f"c{i}" for i in range(size)}
    entries = [entry(f"c{i}", str(TODAY - timedelta(days=i in past))) for i in expected]
    valid = {f"c{i}" for i in expected if i not in past} & ids
    reason, notes = quarantine.excluded_reasons(entries, ids, TODAY)
    assert reason.keys() == (valid if 5 * len(valid) <= size else set())
    assert any("more than the allowed 20%" in note for note in notes) == (5 * len(valid) > size)


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("goldens/order.jsonl", "goldens/order"),
        ("goldens/order.v2.csv", "goldens/order.v2"),
        ("prompts/a.b/order.prompt.yml", "prompts/a.b/order"),
        ("prompts/a.b/order", "prompts/a.b/order"),
    ],
)
def test_a_quarantine_stands_beside_its_goldens(path: str, stem: str) -> None:
    assert find.quarantine_paths(path) == (f"{stem}.quarantine.yml", f"{stem}.quarantine.yaml")


def test_a_quarantine_is_no_golden_file() -> None:
    results = ["goldens/order.jsonl", PATH, "goldens/order.quarantine.yaml", "goldens/order.labels.jsonl"]
    assert find.find_golden_files(lambda _: results, "goldens/{name}.*", "order", str) == ["goldens/order.jsonl"]
