"""Write the texts of the ready report: the renderers' own, with placeholders where runs differ."""

import json
from collections.abc import Mapping
from typing import Any

from promptci.config.policy import GatePolicy
from promptci.gates.model import GateReport
from promptci.git import snapshot
from promptci.present.content_policy import hash_asset
from promptci.report import write
from promptci.report.html.assets import SCRIPTS, STYLES, read_assets
from promptci.report.model.document import serialize
from promptci.report.model.report import GateView, ReportView, RevisionView, SpendView
from promptci.report.text import headline
from promptci.report.unchanged.ready_report import COMMIT, HEADLINE, PLACEHOLDER, REPORT, WORK_TREE
from promptci.wording import short_sha

VERSION, BASE, HEAD = "SampleVersion", "sample-base", "sample-head"
SOURCE, ON_INCONCLUSIVE = "sample-source", "SampleEffect"
SHAS = {"base": "ba5e" * 10, "head": "4ead" * 10}
TIMES = {"started": "2001-02-03T04:05:06Z", "generated": "2002-03-04T05:06:07Z"}
MOMENTS = {"started": "2001-02-03 04:05 UTC", "generated": "2002-03-04 05:06 UTC"}
SHARES = {
    "min_quality": (0.112, "11.2%"),
    "max_cost_increase": (0.223, "22.3%"),
    "max_p95_increase": (0.334, "33.4%"),
    "max_error_rate": (0.445, "44.5%"),
    "max_drop": (0.056, "5.6 points"),
    "alpha": (0.067, "0.067"),
}
"""Samples that occur nowhere else, as report.json and as the page write them."""


def ready_texts() -> str:
    """Return the content of no_change.json."""
    return json.dumps({COMMIT: _texts(SHAS["head"]), WORK_TREE: _texts(None)}, ensure_ascii=False, indent=1) + "\n"


def _texts(head_sha: str | None) -> dict[str, str]:
    report = serialize(_sample(head_sha))
    texts = {HEADLINE: report.view.headline}
    for name, render in write.OUTPUTS.items():
        pieces = (piece if isinstance(piece, str) else piece.decode() for piece in render(report))
        texts[name] = "".join(pieces)
    samples = {report.digest: "digest", **_samples()}
    return {name: _put_placeholders(text, samples, is_json=name == REPORT) for name, text in texts.items()}


def _put_placeholders(text: str, samples: Mapping[str, str], *, is_json: bool) -> str:
    if PLACEHOLDER.search(text):
        raise ValueError("a text of the report looks like a placeholder")
    for sample, name in samples.items():
        text = text.replace(sample, f"@{{{name}}}")
    for name, (number, words) in SHARES.items():
        text = text.replace(str(number) if is_json else words, f"@{{{name}_{'json' if is_json else 'text'}}}")
    return text


def _samples() -> dict[str, str]:
    """Return the sample texts with the names of their placeholders, longer ones first."""
    style, script = read_assets(*STYLES), read_assets(*SCRIPTS)
    return {
        style: "style",
        script: "script",
        hash_asset(style): "style_hash",
        hash_asset(script): "script_hash",
        **{sha: f"{side}_sha" for side, sha in SHAS.items()},
        **{short_sha(sha): f"{side}_short" for side, sha in SHAS.items()},
        **{time: f"{name}_at" for name, time in TIMES.items()},
        **{moment: f"{name}_moment" for name, moment in MOMENTS.items()},
        BASE: "base_rev",
        HEAD: "head_rev",
        SOURCE: "source",
        VERSION: "version",
        ON_INCONCLUSIVE: "on_inconclusive",
    }


def _sample(head_sha: str | None) -> ReportView:
    numbers: dict[str, Any] = {name: number for name, (number, _) in SHARES.items()}
    gate = GateView.model_construct(mode="block", on_inconclusive=ON_INCONCLUSIVE, source=SOURCE, **numbers)
    return ReportView.model_construct(
        promptci_version=VERSION,
        verdict="no-change",
        exit_code=0,
        headline=headline.headline(GateReport(prompts=(), policy=GatePolicy())),
        base=RevisionView(rev=BASE, sha=SHAS["base"]),
        head=RevisionView(rev=snapshot.WORK_TREE if head_sha is None else HEAD, sha=head_sha),
        started_at=TIMES["started"],
        generated_at=TIMES["generated"],
        prompts=[],
        gate=gate,
        spend=SpendView(calls=0, cached=0, usd=None, usd_is_lower_bound=False),
    )
