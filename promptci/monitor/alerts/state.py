"""When an alert opens and closes: after two looks at which it fires, after three at which it does not."""

from dataclasses import replace
from typing import Literal

from promptci.lazy_dataclass import dataclass

OPEN_AFTER = 2
CLOSE_AFTER = 3
Phase = Literal["pending", "open"]
Event = Literal["pending", "cleared", "opened", "updated", "resolved"]
"""A change of state: seen once, gone again, opened, recovering or worse again, closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertState:
    """An alert that is open, or may open at the next look."""

    phase: Phase
    firing: int
    """Looks in a row at which it fired, before it opened."""
    fine: int = 0
    """Looks in a row at which it did not fire, since it opened."""
    since: str
    """Time of the first look at which it fired."""


def advance(state: AlertState | None, firing: bool | None, at: str) -> tuple[AlertState | None, Event | None]:
    """Return the state after a look, and what changed; None for `firing`: nothing is known, so nothing changes.

    A state of None is an alert that is neither open nor pending.
    """
    if firing is None:
        return state, None
    if state is None:
        return _see_first(at) if firing else (None, None)
    if state.phase == "pending":
        return _see_again(state) if firing else (None, "cleared")
    if firing:
        return (replace(state, fine=0), "updated") if state.fine else (state, None)
    if state.fine + 1 >= CLOSE_AFTER:
        return None, "resolved"
    return replace(state, fine=state.fine + 1), "updated"


def _see_first(at: str) -> tuple[AlertState, Event]:
    return AlertState(phase="pending", firing=1, since=at), "pending"


def _see_again(state: AlertState) -> tuple[AlertState, Event]:
    firing = state.firing + 1
    if firing >= OPEN_AFTER:
        return replace(state, phase="open", firing=firing), "opened"
    return replace(state, firing=firing), "pending"
