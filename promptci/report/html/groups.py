"""The cases of a prompt in groups that fared alike, with both answers and the words in which they differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from promptci.present import escape, formatting, word_diff
from promptci.present.word_diff import Piece
from promptci.report.build.case_store import Chosen
from promptci.report.html.page_budget import ANSWER_LENGTH, ID_LENGTH, Room
from promptci.report.model.report import AnswerView, CaseView, PromptView

OPEN_AT_FIRST = 5
"""Cases of an opened group whose answers show without a click."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One version's answer to one case."""

    slug: str
    """`before` or `now`."""
    answer: AnswerView
    rate: float | None
    """Share of the replicates that passed."""
    pieces: tuple[Piece, ...] = ()
    """The answer's text; what differs from the other side is marked."""
    length: int | None = None
    """Characters in all, where the text is cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """A case with its answers."""

    case: CaseView
    sides: tuple[Side, ...]
    open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Cases that fared alike."""

    slug: str
    title: str
    note: str
    open: bool
    details: tuple[Detail, ...]
    lines: tuple[str, ...]
    """The cases for which there is no room in full: a line each."""
    left_out: int
    """Cases for which there is no room at all."""

    @property
    def size(self) -> int:
        """All cases of the group."""
        return len(self.details) + len(self.lines) + self.left_out


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What makes a group."""

    slug: str
    title: str
    note: str
    belongs: Callable[[CaseView], bool]
    mood: str = "mute"
    """Of the icon beside the title: `good`, `bad`, `warn` or `mute`."""

    @property
    def urgent(self) -> bool:
        """Whether a reader must see these cases: they take their room first."""
        return self.slug in URGENT


Found = tuple[Kind, Chosen]
"""A kind, and the cases that are of it."""
Ranked = tuple[bool, float, int]
"""By what cases are put in order; the last is where one stands among all cases of the prompt."""
URGENT = ("broken", "failing", "fixed", "lower", "higher", "missing")


def _wrong(case: CaseView) -> bool:
    return case.head_pass_rate is not None and case.head_pass_rate < 1


COMPARED = (
    Kind(
        slug="broken",
        title="Broken",
        note="Right before, wrong now.",
        belongs=lambda c: c.change == "same" and c.outcome == "broken",
        mood="bad",
    ),
    Kind(
        slug="fixed",
        title="Fixed",
        note="Wrong before, right now.",
        belongs=lambda c: c.change == "same" and c.outcome == "fixed",
        mood="good",
    ),
    Kind(
        slug="unasked",
        title="Not asked",
        note="The verdict stood before these were asked (`run.early_stop`).",
        belongs=lambda c: c.base is None and c.head is None,
    ),
    Kind(
        slug="missing",
        title="Not evaluated",
        note="An answer is missing, so the case is left out of the comparison.",
        belongs=lambda c: c.change == "same" and c.outcome != "same",
        mood="warn",
    ),
    Kind(
        slug="apart",
        title="New and changed cases",
        note="Not compared, because their text is not the same at both revisions; they count for absolute limits only.",
        belongs=lambda c: c.change != "same",
    ),
    Kind(slug="wrong", title="Wrong in both versions", note="Nothing changed here.", belongs=_wrong, mood="bad"),
    Kind(
        slug="right", title="Right in both versions", note="Nothing changed here.", belongs=lambda _: True, mood="good"
    ),
)


def _marks(case: CaseView) -> float:
    """Give head's marks minus base's, of the answers shown; 0 where one is missing."""
    before = case.base.score if case.base else None
    now = case.head.score if case.head else None
    return 0.0 if before is None or now is None else now - before


LOWER = Kind(
    slug="lower",
    title="Lower marks",
    note="Worse than before, but not so much that it fails.",
    belongs=lambda c: c.change == "same" and c.outcome == "same" and _marks(c) < 0,
)
HIGHER = Kind(
    slug="higher",
    title="Higher marks",
    note="Better than before.",
    belongs=lambda c: c.change == "same" and c.outcome == "same" and _marks(c) > 0,
)
ASIDE = Kind(
    slug="aside",
    title="Set aside",
    note="Asked and shown; these decide nothing.",
    belongs=lambda c: c.aside is not None,
)
GRADED = (*COMPARED[:2], LOWER, HIGHER, *COMPARED[2:])
SINGLE = (
    Kind(slug="failing", title="Failing", note="The answer is not right.", belongs=_wrong, mood="bad"),
    Kind(
        slug="missing",
        title="Not evaluated",
        note="The answer is missing.",
        belongs=lambda c: c.head_pass_rate is None,
        mood="warn",
    ),
    Kind(slug="passing", title="Passing", note="The answer is right.", belongs=lambda _: True, mood="good"),
)


def found(prompt: PromptView) -> list[Found]:
    """Give the kinds of cases that there are, in the order in which they are read: what broke comes first."""
    kinds = SINGLE if prompt.base is None else GRADED if graded(prompt) else COMPARED
    places: dict[str, list[Ranked]] = {kind.slug: [] for kind in (*kinds, ASIDE)}
    for place, case in enumerate(prompt.case_details):
        kind = next(kind for kind in (ASIDE, *kinds) if kind.belongs(case))
        places[kind.slug].append(rank(case, place))
    return [
        (kind, Chosen(prompt.case_details, (place for *_, place in sorted(ranked))))
        for kind in (*kinds, ASIDE)
        if (ranked := places[kind.slug])
    ]


def graded(prompt: PromptView) -> bool:
    """Whether the prompt is judged by marks between 0 and 1."""
    return prompt.quality is not None and prompt.quality.measure == "mean score"


def lower(case: CaseView) -> bool:
    """Whether a compared case got lower marks without breaking."""
    return LOWER.belongs(case)


def rank(case: CaseView, place: int) -> Ranked:
    """Give what puts critical cases first, then those whose marks fell most."""
    return (not case.critical, _marks(case), place)


def fared(case: CaseView, prompt: PromptView) -> str:
    """Say how a case fared: `right → wrong`, with the marks where there are any."""
    before, now = result(case.base_pass_rate, case.base), result(case.head_pass_rate, case.head)
    said = f"{before} → {now}" if case.base else now
    if not graded(prompt) or not _marks(case) or case.base is None or case.head is None:
        return said
    return f"{said}, marks {formatting.number(case.base.score)} → {formatting.number(case.head.score)}"


def group(prompt: PromptView, kind: Kind, cases: Sequence[CaseView], room: Room) -> Group:
    """Give the group of these cases: in full as long as there is room, then as lines."""
    opened = kind.slug in ("broken", "failing", "lower")
    details: list[Detail] = []
    lines: list[str] = []
    left_out = 0
    for case in cases:
        if room.detail(case, urgent=kind.urgent):
            details.append(Detail(case=case, sides=tuple(_sides(case)), open=opened and len(details) < OPEN_AT_FIRST))
        elif room.row(said := line(case, prompt)):
            lines.append(said)
        else:
            left_out += 1
    return Group(
        slug=kind.slug,
        title=kind.title,
        note=kind.note,
        open=opened,
        details=tuple(details),
        lines=tuple(lines),
        left_out=left_out,
    )


def line(case: CaseView, prompt: PromptView) -> str:
    """Give a case on one line: its name and how it fared."""
    return f"{escape.shorten(escape.one_line(case.id), ID_LENGTH)} · {fared(case, prompt)}"


def _sides(case: CaseView) -> Iterator[Side]:
    texts = [(answer.text or "")[:ANSWER_LENGTH] if answer else "" for answer in (case.base, case.head)]
    both = case.base is not None and case.head is not None and None not in (case.base.text, case.head.text)
    marked = word_diff.pieces(*texts) if both else tuple((Piece(text=text, differs=False),) for text in texts)
    for slug, answer, rate, pieces in (
        ("before", case.base, case.base_pass_rate, marked[0]),
        ("now", case.head, case.head_pass_rate, marked[1]),
    ):
        if answer is not None:
            whole = len(answer.text or "")
            yield Side(
                slug=slug, answer=answer, rate=rate, pieces=pieces, length=whole if whole > ANSWER_LENGTH else None
            )


def undecided(rate: float | None, answer: AnswerView | None) -> bool:
    """Whether an answer is there, and only marks that decide nothing say how good it is."""
    return rate is None and answer is not None and answer.text is not None and answer.error is None


def result(rate: float | None, answer: AnswerView | None = None) -> str:
    """Say how a version did on a case: `right`, `wrong`, `missing`, or the share of its repeated answers."""
    if undecided(rate, answer):
        return "advisory"
    if rate is None:
        return "missing"
    if rate in (0.0, 1.0):
        return "right" if rate else "wrong"
    return f"right {formatting.percent(rate)} of the time"
