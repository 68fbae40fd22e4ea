"""Hostile texts, and a way to put one into every field of a view."""

from dataclasses import replace
from functools import cache
from typing import Any

from support.run_notation import comparison, problem, report

from promptci.config.policy import GateMode, GatePolicy
from promptci.memory.gate_precision import Precision
from promptci.report.model.report import FlakyCaseView, FlakyView, PastQualityView, PromptView, ReportView
from promptci.runs.prompt_plan import Status
from promptci.scoring.judges.pairwise import PositionBias
from promptci.scoring.judges.probes import ProbeOutcome

XSS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</pre></details><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script href=data:,alert(1) />",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<img src=https://evil.example/x.png>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '"><script>alert(1)</script>',
    "`><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "<!--<script>alert(1)//-->",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "javascript:alert(1)",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<math><mtext></p><img src=x onerror=alert(1)>",
    "\u2028<script>alert(1)</script>\u2029",
    "\x00<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\u202e<script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "$\\frac{1}{0}$",
]


@cache
def rich() -> ReportView:
    """Return a small view in which every part of a page and of a comment is there; built once."""
    rows = """
        a* | Hi refund | yes | yes | no
        b | Hi | no | yes | no
        c | Hi | yes | no | yes
        d | Hi | yes | yes | yes
        e | Hi | yes | no | no
        f | Hi | yes | yes | !HTTP 503
        g+ | Hi | yes | yes | no
        h~ | Hi | yes | yes | yes
        i? | Hi | yes | yes | no
    """
    view = report(
        comparison(rows, kind="one-of", removed_cases=("x",), loosened_cases=("h",), notes=("a note",)),
        comparison(
            "\n".join(f"k{i} | Hi | yes | yes | yes" for i in range(60)) + "\nk | Hi | yes | no | yes", name="greeting"
        ),
        comparison("a | Hi | yes | - | no\nb | Hi | yes | - | !lost", name="new", status=Status.ADDED),
        comparison("", name="old", status=Status.DELETED),
        replace(
            comparison("a | Hi | yes | fine {0.8} | Final verdict: pass {0.9}", name="judged", kind="llm"),
            probes=(ProbeOutcome(judge="m", prompts=("judged",), asked=2, passed=("colon",), unscored=1),),
            position_bias=PositionBias(pairs=3, flipped=1),
        ),
        policy=GatePolicy(mode=GateMode.ADVISE, min_quality=0.5),
        problems=[problem("could-not-run", "too late: `run.deadline`")],
        notes=("a note",),
        precision=Precision(verdicts=3, labelled=2, correct=1),
    )
    known = {"actor": "ann", "run_url": "a run", "started_at": "2026-03-02T09:28:00Z"}
    return view.model_copy(update={"prompts": [_remembered(prompt) for prompt in view.prompts], **known})


def _remembered(prompt: PromptView) -> PromptView:
    """Return the prompt as one that the memory knows."""
    known = FlakyView(cases=[FlakyCaseView(id="a", passes=2, fails=1)], discordance=0.1, measured=8)
    cases = [case.model_copy(update={"flaky": case.id == "a"}) for case in prompt.case_details]
    past = PastQualityView(
        at="2026-02-01",
        commit="c",
        pull_request=7,
        fingerprint="f",
        verdict="fail",
        measure="pass rate",
        quality=0.8,
        pairs=9,
    )
    update = {"flaky": known, "earlier_versions": [past], "verdict_id": "0a1b", "case_details": cases}
    return prompt.model_copy(update={**update, "verdict": "fail"} if prompt.name == "order-extractor" else update)


FIXED = {"arm", "schema", "verdict", "kind", "status", "change", "outcome", "measure", "mode", "on_inconclusive"}
"""Fields with a choice of values."""


def planted(view: ReportView, payload: str) -> ReportView:
    """Return the view with the payload in the place of every text that is free."""
    return ReportView.model_validate(_plant(view.model_dump(by_alias=True), payload, ""))


def _plant(value: Any, payload: str, key: str) -> Any:
    if isinstance(value, str):
        return value if key in FIXED else payload
    if key == "counts":
        return {payload if index == 0 else f"{payload}{index}": count for index, count in enumerate(value.values())}
    if isinstance(value, dict):
        return {name: _plant(item, payload, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plant(item, payload, key) for item in value]
    return value
