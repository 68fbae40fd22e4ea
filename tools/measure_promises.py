"""Write docs/promises.md anew: `make promises`. Takes about half an hour; the same numbers every time."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from support import simulated_designs, simulated_gate, simulated_judges, simulated_runs  # noqa: E402 - the tests run the same simulations
from support.simulated_answers import BROKEN, GRID, PROFILES, UNCHANGED, Setting  # noqa: E402 - likewise
from support.simulated_designs import KINDS, DesignSetting, simulate_designs  # noqa: E402 - likewise
from support.simulated_judges import share_trusted  # noqa: E402 - likewise

PAGE = ROOT / "docs" / "promises.md"
SIZES, DISCORDANCES = (50, 100, 200), (0.05, 0.10, 0.20)


def percent(share: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{100 * share:.1f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|:--" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _false_blocks() -> str:
    head = ["cases", *(f"{100 * d:.0f} % flip" for d in DISCORDANCES)]
    cells = {(n, d): _false_block(n, d) for n in SIZES for d in DISCORDANCES}
    return table(head, [[str(n), *(cells[n, d] for d in DISCORDANCES)] for n in SIZES])


def _false_block(n: int, d: float) -> str:
    test = simulated_gate.significant(n, d, 0.0, seed=n)
    return f"{percent(simulated_gate.blocked(n, d, 0.0, seed=n))} ({percent(test)})"


def _naive() -> str:
    rows = []
    for limit in (0.0, 0.02, 0.05):
        name = "any drop" if limit == 0 else f"more than {100 * limit:.0f} points"
        rows.append([name, *(percent(simulated_gate.naive(100, d, 0.0, limit, seed=1)) for d in DISCORDANCES)])
    rows.append(["promptci", *(percent(simulated_gate.blocked(100, d, 0.0, seed=1)) for d in DISCORDANCES)])
    return table(["block at", *(f"{100 * d:.0f} % flip" for d in DISCORDANCES)], rows)


def _power() -> str:
    rows = []
    for n in (*SIZES, 500):
        for drop in (0.05, 0.10, 0.14):
            cells = []
            for d in (0.10, 0.20):
                together = max(d, drop)
                exact, drawn = (
                    simulated_gate.exact_power(n, together, drop),
                    simulated_gate.significant(n, together, drop, seed=n),
                )
                cells.append(f"{percent(exact)} ({percent(drawn)})")
            rows.append([str(n), f"{100 * drop:.0f} points", *cells])
    return table(["cases", "true drop", "10 % flip", "20 % flip"], rows)


def _coverage() -> str:
    rows = [
        [
            f"Tango, 90 %, {n} cases, {100 * d:.0f} % flip, drop {100 * drop:.0f}",
            percent(simulated_gate.tango_covers(n, d, drop, seed=7)),
        ]
        for n, d, drop in ((50, 0.1, 0.0), (100, 0.1, 0.05), (100, 0.2, 0.1), (300, 0.05, 0.0))
    ]
    rows += [
        [f"Wilson, 95 %, {n} cases, rate {rate:g}", percent(simulated_gate.wilson_covers(n, rate, seed=3))]
        for n, rate in ((50, 0.98), (100, 0.95), (200, 0.9))
    ]
    rows += [[f"BCa, 90 %, {n} skewed marks", percent(simulated_gate.scores(n, seed=n).covered)] for n in (30, 100)]
    rows.append(["cluster-robust t, 90 %, 20 clusters of 5", percent(simulated_gate.clustered(20, 5, seed=5).covered)])
    return table(["interval", "holds the truth, %"], rows)


def _repeats() -> str:
    rows = []
    for how, name in (
        ("once", "once"),
        ("adaptive", "`{initial: 1, on_disagreement: 3}`"),
        ("thrice", "three times each"),
    ):
        none = simulated_gate.repeated(how, 100, 0.0, seed=11)
        some = [simulated_gate.repeated(how, 100, drop, seed=12) for drop in (0.05, 0.10)]
        cells = (percent(none.blocked), *(percent(one.blocked) for one in some), f"{none.calls:.2f}")
        rows.append([name, *cells, f"{100 * some[1].estimate:.1f}"])
    head = [
        "asked",
        "blocked, no change",
        "blocked, 5 points",
        "blocked, 10 points",
        "answers per case",
        "10 points estimated as",
    ]
    return table(head, rows)


def _families() -> str:
    rows = [
        [
            str(k),
            percent(simulated_gate.family(k, 100, 0.1, corrected=False, seed=k)),
            percent(simulated_gate.family(k, 100, 0.1, corrected=True, seed=k)),
        ]
        for k in (1, 5, 10, 20)
    ]
    return table(["prompts", "each at alpha", "Holm"], rows)


def _clusters() -> str:
    rows = []
    for clusters, size in ((20, 5), (20, 1), (50, 4)):
        found = simulated_gate.clustered(clusters, size, seed=5)
        rows.append([f"{clusters} × {size}", percent(found.without), percent(found.within)])
    return table(["clusters × paraphrases", "`cluster` not given", "`cluster` given"], rows)


def _early() -> str:
    rows = []
    for n, d, drop in ((100, 0.2, 0.1), (100, 0.3, 0.3), (200, 0.2, 0.1), (200, 0.3, 0.3)):
        failed, saved = simulated_gate.early_stop(n, d, drop, seed=9)
        rows.append([str(n), f"{100 * drop:.0f} points", percent(failed), percent(saved)])
    return table(["cases", "true drop", "fails", "answers saved when it fails"], rows)


USD_PER_CALL = (500 * 0.15 + 50 * 0.60) / 1_000_000
"""500 tokens in and 50 out, at dollars per million tokens."""
RUNS, RUNS_OF_BROKEN, RUNS_OF_DESIGNS = 300, 200, 200
RUNS_OF_SEVERAL = {5: 300, 20: 100}
RUNS_OF_COMBINATION = 2
"""Simulated pull requests per row of the whole gate; fewest where each has several prompts."""


def _whole_gate(settings: Iterable[Setting], *, unchanged: bool) -> str:
    """Return the table of the whole default gate; the row's number of runs gives its Monte Carlo error."""
    rows = []
    for setting in settings:
        runs = RUNS_OF_SEVERAL.get(setting.prompts, RUNS if unchanged else RUNS_OF_BROKEN)
        shares = simulated_runs.simulate_fast(setting, runs=runs)
        what = (
            [str(setting.critical), str(setting.prompts), f"{setting.sigma:g}, {100 * setting.slow:.0f} %"]
            if unchanged
            else [f"{100 * setting.broken:.0f} %", f"{100 * setting.lost:.0f} %"]
        )
        calls = round(shares.calls)
        cost = [f"{calls:,} ({2 * setting.cases * setting.prompts:,})", f"{calls * USD_PER_CALL:.3f}"]
        results = [percent(shares.failed), percent(shares.passed), *cost, str(runs)]
        sound = ", all pass at base" if setting.sound else ""
        rows.append([f"{setting.profile} {setting.cases}{sound}", *what, *results])
    what = ["critical", "prompts", "latency σ, slow"] if unchanged else ["broken", "lost"]
    return table(["profile, cases", *what, "`fail`", "`pass`", "calls (once)", "$", "runs"], rows)


def _grid() -> str:
    """Return the table of all combinations: one row per number of cases, one column per profile."""
    rows = []
    for cases in sorted({cases for _, cases in GRID}):
        shares = [simulated_runs.simulate_each(GRID[profile, cases], runs=RUNS_OF_COMBINATION) for profile in PROFILES]
        rows.append([str(cases), *(percent(each.failed) for each in shares)])
    return table(["cases", *(f"{profile}: `fail`" for profile in PROFILES)], rows)


def _designs() -> str:
    """Return the table of graded, weighted, clustered and repeated cases."""
    rows = []
    for kind in KINDS:
        for cases in simulated_designs.SIZES:
            shares = [
                simulate_designs(DesignSetting(kind=kind, cases=cases, shape=shape), runs=RUNS_OF_DESIGNS)
                for shape in ("none", "broken", "spread")
            ]
            none, *worse = shares
            cells = [percent(none.failed), percent(none.passed)]
            rows.append([f"{kind}, {cases}", *cells, *(f"{percent(s.failed)} / {percent(s.passed)}" for s in worse)])
    head = ["cases", "unchanged: `fail`", "`pass`", "few cases broken: `fail` / `pass`", "spread: `fail` / `pass`"]
    return table(head, rows)


def _judges() -> str:
    """Return the table of judges by the number of labels."""
    rows = [
        [str(n), *(percent(share_trusted(kappa, labels=n, pass_rate=0.7, seed=n)) for kappa in (0.4, 0.8))]
        for n in (50, 75, 100, 200)
    ]
    return table(["labels", "kappa 0.4", "kappa 0.8"], rows)


def page() -> str:
    """Return the whole page."""
    return f"""# What the gate promises, and how often it keeps it

Written by `make promises`: simulated pull requests put to the deciding code itself, 20,000 for each number of the first tables. The tests put
the same simulations to the same code and fail when a promise is broken. All numbers are percent unless they say otherwise. *Flip* is the share of
cases whose verdict differs between two runs of the same version; `promptci selftest` measures yours.

## The whole gate at its defaults

`gate.about: goldens`, `repeats: auto` with at most 640 calls, limits on cost and latency on, critical cases confirmed. Profiles: share of cases
that always pass, never pass, and flip: *calm* 90/5/5, *usual* 75/5/20, *noisy* 50/5/45 percent. Error of a share: with 300 runs one standard error
is 1.3 points at 5 % and 2.6 at 75 %; with 100 runs 2.2 points at 5 %. A pull request with several prompts passes where each of
them does. A test puts random draws to this simulation and to the deciding code itself: both give the same verdict after the same calls.

*Calls* are the mean of both versions together; in brackets, what asking each case once takes. *$* is an example: calls with 500 tokens in and 50 out,
at $0.15 and $0.60 per million tokens. The most for one prompt, 640 calls, is then $0.07, and 50 cases asked once are $0.01.

A change that changes nothing; `fail` may be 5 at most:

{_whole_gate(UNCHANGED, unchanged=True)}

The same with every combination of 0, 5 or 20 critical cases (of 10 cases at most 10), 1, 2, 5 or 20 prompts, and latencies with σ 0.3, 0.6 or 1 of which
1, 2 or 3 % are slow; each number is of {36 * RUNS_OF_COMBINATION} pull requests, {RUNS_OF_COMBINATION} of each combination, and one standard error is 2.6 points at 5 %:

{_grid()}

So many of these goldens break for good. *Lost*: that share of the new version's wrong answers never arrives, and such a run never passes.
*All pass at base*: no case is one that the old version never passes. Of the others one in twenty is, and cannot break: with a single case that
alone keeps 5 % of the runs from failing.

{_whole_gate(BROKEN, unchanged=False)}

## Scores, weights, clusters and fixed repeats

The quality rule alone, *usual* cases. *Graded*: scores in steps of a quarter; below 20 cases they do not block. *Weighted*: one case in five weighs
5, the others 1. *Clustered*: clusters of five that share their chance of passing. The last two are `repeats: 3` and
`repeats: {{initial: 1, on_disagreement: 3}}`; the others are asked in rounds. The new version falls by exactly the margin of 5 points on these
goldens, where `pass` may be 5 at most: a few cases lose all, or the loss is spread over all of them. {RUNS_OF_DESIGNS} runs per number; one standard
error is 1.5 points at 5 %.

{_designs()}

## A judge is trusted only if it agrees with people

{simulated_judges.SIMULATIONS:,} calibrations per number, `judge.trust.min_kappa: {simulated_judges.MIN_KAPPA:g}`; people pass 70 % of the answers, and the judge as many. Trusted although its
true kappa is 0.4, which may be 5 at most, and trusted with a true kappa of 0.8. With fewer than 50 labels no judge is trusted.

{_judges()}

## The quality test alone, each case asked once

Blocked by the gate, which also wants a drop of the margin of 5 points; in brackets the test alone (one-sided mid-p McNemar).

{_false_blocks()}

The rules that people write without a test, at 100 cases:

{_naive()}

## A drop is seen as often as stated

Significant, by the formula and (in brackets) by simulation; they agree within 2 points. Where the drop is larger than the flips, it brings flips of its own.

{_power()}

## Intervals hold the truth as often as they say

{_coverage()}

## Repeats

100 cases that pass with a probability of their own (Beta(4.5, 0.5): 90 % on average). Blocked is: significant, and a drop of the margin estimated.
A drop makes so many cases wrong for good. Asking on only where the first answers disagree keeps alpha, because which cases are asked on does not
depend on which version is which (sign-flip test); the estimate comes from the first answers alone and is not biased.

{_repeats()}

## Several prompts in one pull request

At least one of them called worse though none changed (100 cases each, 10 % flip):

{_families()}

## Paraphrases are not evidence

Five paraphrases that agree fully are one case. Called worse though nothing changed, with and without saying so:

{_clusters()}

## Early stop

`run.early_stop` asks until no answer can change the verdict. The verdict is the same by construction (a test checks every prefix of many runs);
what it saves where the gate fails:

{_early()}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
