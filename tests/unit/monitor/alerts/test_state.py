"""An alert opens after two looks and closes after three, whatever happens in between."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from promptci.monitor.alerts.state import CLOSE_AFTER, OPEN_AFTER, AlertState, advance

LOOKS = st.lists(st.sampled_from([True, False, None]), max_size=40)


def events(looks: Sequence[bool | None]) -> list[str]:
    state: AlertState | None = None
    seen: list[str] = []
    for number, firing in enumerate(looks):
        state, event = advance(state, firing, str(number))
        seen.append(event or "-")
    return seen


def test_it_opens_at_the_second_look_and_closes_at_the_third_fine_one() -> None:
    assert events([True, True, True, False, False, False, False]) == [
        "pending",
        "opened",
        "-",
        "updated",
        "updated",
        "resolved",
        "-",
    ]


def test_one_look_alone_opens_nothing() -> None:
    assert events([True, False, True, False]) == ["pending", "cleared", "pending", "cleared"]


def test_a_metric_that_flaps_opens_one_alert_and_keeps_it_open() -> None:
    seen = events([True, True, False, True, False, False, True] + [False, True] * 20)
    assert seen.count("opened") == 1
    assert "resolved" not in seen


def test_a_look_that_knows_nothing_neither_opens_nor_closes() -> None:
    assert events([None, True, None, None, True, None, False, None, False, None, False]) == [
        *("-", "pending", "-", "-", "opened", "-", "updated", "-", "updated", "-", "resolved"),
    ]


@given(LOOKS)
def test_opened_and_resolved_alternate(looks: list[bool | None]) -> None:
    ends = [event for event in events(looks) if event in {"opened", "resolved"}]
    assert ends == ["opened", "resolved"] * (len(ends) // 2) + ["opened"] * (len(ends) % 2)


@given(LOOKS)
def test_it_is_open_exactly_where_the_looks_say(looks: list[bool | None]) -> None:
    """The rule once more, from the whole row of looks."""
    known = [firing for firing in looks if firing is not None]
    expected = False
    for place in range(len(known)):
        if not expected:
            expected = place + 1 >= OPEN_AFTER and all(known[place + 1 - OPEN_AFTER : place + 1])
        else:
            expected = any(known[place + 1 - CLOSE_AFTER : place + 1])
    state: AlertState | None = None
    for number, firing in enumerate(looks):
        state, _ = advance(state, firing, str(number))
    assert (state is not None and state.phase == "open") == expected


@given(LOOKS)
def test_since_is_the_first_of_the_looks_that_fired(looks: list[bool | None]) -> None:
    state: AlertState | None = None
    for number, firing in enumerate(looks):
        before = state
        state, event = advance(state, firing, str(number))
        if event == "pending" and before is None:
            assert state is not None
            assert state.since == str(number)
        elif state is not None and before is not None:
            assert state.since == before.since
