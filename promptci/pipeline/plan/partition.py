"""Split a plan over several machines: which shard asks which cases, always the same."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from promptci.files import canonical
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.shard import Shard
from promptci.runs.model import Question

_SMALLEST = Decimal("0.000001")
Node = tuple[str, str]
"""Prompt's name and case's id."""


def select_part(planned: PlannedRun, shard: Shard) -> PlannedRun:
    """Return the run with this shard's questions only, in their order."""
    owner = owners(planned, shard.count)

    def own(questions: Iterable[Question]) -> tuple[Question, ...]:
        return tuple(q for q in questions if owner[(q.prompt, q.case_id)] == shard.index)

    runs = [replace(run, questions=own(run.questions), follow_ups=own(run.follow_ups)) for run in planned.prompts]
    return replace(planned, prompts=tuple(runs))


def owners(planned: PlannedRun, count: int) -> dict[Node, int]:
    """Return which shard, counted from 1, asks which case.

    Both versions of a case, all its repeats and its judge are in one shard, and so are cases that ask the same:
    one call answers them. Which shard that is comes from a hash of the names, so that a case stays where it is, and
    its cached answers with it, when other cases come and go.
    """
    leader = _Groups()
    first: dict[tuple[str, int], Node] = {}
    for question in (*planned.questions, *planned.follow_ups):
        node = (question.prompt, question.case_id)
        leader.join(node, first.setdefault((question.request.key, question.replicate), node))
    return {node: int(canonical.digest(list(least))[:12], 16) % count + 1 for node, least in leader.all()}


def budget(whole: Decimal | None, part: PlannedRun, planned: PlannedRun) -> Decimal | None:
    """Return a shard's share of the budget, by its share of the questions; the shares never exceed the whole."""
    if whole is None or not planned.questions:
        return whole
    return (whole * len(part.questions) / len(planned.questions)).quantize(_SMALLEST, rounding=ROUND_DOWN)


class _Groups:
    """Disjoint sets of cases, each named by its smallest node."""

    def __init__(self) -> None:
        self._above: dict[Node, Node] = {}

    def join(self, first: Node, second: Node) -> None:
        least, greater = sorted((self._least(first), self._least(second)))
        self._above[greater] = least

    def all(self) -> Iterator[tuple[Node, Node]]:
        """Return each node with the name of its set."""
        return ((node, self._least(node)) for node in self._above)

    def _least(self, node: Node) -> Node:
        above = self._above.setdefault(node, node)
        while above != self._above[above]:
            self._above[node] = above = self._above[above]
        return above
