"""Say before a run what the goldens can show, and what it costs to see more."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal

from promptci.compare import quality
from promptci.gates import foresight
from promptci.gates.foresight import Foresight
from promptci.git.repo import Repo
from promptci.jobs import planning, run, selftest
from promptci.jobs.gather import Gathered
from promptci.jobs.world import Errand, World
from promptci.providers.prices import PriceList
from promptci.report import filters
from promptci.runs.estimate import estimate
from promptci.runs.model import PromptPlan

ASSUMED = (0.05, 0.10, 0.20)
"""Discordances shown for a prompt of which none was measured."""
SPREADS = (0.1, 0.2, 0.3)
"""Standard deviations of a case's difference in marks, likewise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of `power`."""

    drop: float | None = None
    """Drop to be seen; None: `gate.max_drop`."""
    discordance: float | None = None
    """Assumed by the user; None: as measured by `selftest`, else several are shown."""
    prompts: tuple[str, ...] = ()


def power(errand: Errand, question: Question, world: World) -> list[tuple[str, Foresight]]:
    """Tell, for each prompt, the smallest drop its goldens show, and what a smaller one would take.

    Raises
    ------
    InputError
        With every mistake in the files.
    UsageError
        Where there is no such prompt.
    """
    with closing(Repo.discover(errand.root).snapshot(errand.head)) as head:
        gathered = selftest.chosen(run.everything(head, errand.config_path), question.prompts)
    drop = gathered.config.gate.max_drop if question.drop is None else question.drop
    measured = selftest.read_discordance(errand.out / selftest.OUTPUT)
    found = []
    for plan in gathered.plans:
        graded = quality.is_graded([planned.case for planned in plan.cases])
        price = _price(plan, gathered)
        world.say(f"{plan.name}: {filters.count(len(plan.cases), 'case')}, a check costs {_money(price)}")
        for variance, source in _noise(plan, question, measured, graded=graded):
            one = _foresee(plan, variance, gathered, drop=drop, graded=graded)
            found.append((plan.name, one))
            for line in words(one, drop, source, price):
                world.say(f"  {line}")
    return found


def _noise(
    plan: PromptPlan, question: Question, measured: dict[str, float], *, graded: bool
) -> Sequence[tuple[float, str]]:
    if question.discordance is not None:
        return [(question.discordance, f"assumed: {filters.percent(question.discordance)}")]
    if plan.name in measured:
        return [(measured[plan.name], "measured by selftest")]
    if graded:
        return [(sd**2, f"if marks differ by {filters.points(sd)} from run to run") for sd in SPREADS]
    return [
        (share, f"if {filters.percent(share)} of the cases change their verdict by themselves") for share in ASSUMED
    ]


def _foresee(plan: PromptPlan, variance: float, gathered: Gathered, *, drop: float, graded: bool) -> Foresight:
    return foresight.foresee(
        [planned.case for planned in plan.cases],
        variance,
        drop=drop,
        repeats=gathered.config.run.repeats,
        graded=graded,
        alpha=gathered.config.gate.alpha,
    )


def _price(plan: PromptPlan, gathered: Gathered) -> Decimal | None:
    """Give the price of asking both versions; None where it is unknown."""
    once = replace(gathered, plans=(plan,))
    found = estimate(planning.make(once), PriceList(gathered.config.provider).price)
    return None if found.usd is None or found.usd_is_lower_bound else 2 * found.usd


def words(found: Foresight, drop: float, source: str, price: Decimal | None) -> list[str]:
    """Say one foresight in plain lines."""
    seen = "none" if found.smallest_drop is None else filters.points(found.smallest_drop)
    lines = [f"{source}: smallest drop shown with 80% power: {seen}"]
    if found.effective < found.cases:
        lines.append(f"  (the cases stand in clusters and are worth about {found.effective} independent ones)")
    if found.cases_for_drop > found.cases:
        lines.append(f"  to see {filters.points(drop)}: {_more(found.cases_for_drop, found.cases, price)}")
    if found.cases_for_drop > found.cases and found.repeats_for_drop is not None:
        times = found.repeats_for_drop
        lines.append(
            f"    or each of these asked {times} times, {_money(None if price is None else price * times)} a check"
        )
    if found.cases_for_pass > found.cases:
        more = _more(found.cases_for_pass, found.cases, price)
        lines.append(f"  to show “not worse by {filters.points(drop)}” where nothing changed: {more}")
    return lines


def _more(needed: int, cases: int, price: Decimal | None) -> str:
    whole = None if price is None or not cases else price * needed / cases
    return f"{needed:,} cases ({needed - cases:,} more), {_money(whole)} a check"


def _money(amount: Decimal | None) -> str:
    return "price unknown" if amount is None else f"at most {filters.money(float(amount))}"
