"""The ready report of a run without changes is the one that the renderers write, byte for byte."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptci.config.policy import GateMode, GatePolicy, OnInconclusive
from promptci.gates.model import GateReport
from promptci.redact import Redactor
from promptci.report import write
from promptci.report.build.run_facts import RunFacts
from promptci.report.build.view import build_view
from promptci.report.model.document import serialize
from promptci.report.model.report import RevisionView, SpendView
from promptci.report.unchanged.ready_report import HEADLINE, UnchangedRun, fill_report

SHA = "1a2b3c4d5e" * 4
RUN = UnchangedRun(
    base_rev="merge base",
    base_sha=SHA,
    head_rev=".",
    head_sha=None,
    started_at="2026-03-02T09:30:00Z",
    generated_at="2026-03-02T09:30:01Z",
    policy=GatePolicy(),
    source="promptci.yml at 1a2b3c4d5e",
)
NAMES = st.from_regex(r"[A-Za-z0-9./-]{1,12}( [A-Za-z0-9./-]{1,12})?", fullmatch=True) | st.text(max_size=8)
SHARES = st.floats(0, 2, exclude_min=True) | st.sampled_from([0.001, 0.05, 0.3, 0.5, 1.0, 12.5])
POLICIES = st.builds(
    GatePolicy,
    mode=st.sampled_from(GateMode),
    max_drop=SHARES,
    alpha=SHARES,
    on_inconclusive=st.sampled_from(OnInconclusive),
    min_quality=SHARES | st.none(),
    max_cost_increase=SHARES | st.none(),
    max_p95_increase=SHARES | st.none(),
    max_error_rate=SHARES,
)
RUNS = st.builds(
    UnchangedRun,
    base_rev=NAMES,
    base_sha=st.just(SHA),
    head_rev=NAMES,
    head_sha=st.just(SHA[::-1]) | st.none(),
    started_at=st.sampled_from(["2026-03-02T09:30:00Z", "2026-12-31T23:59:59Z"]),
    generated_at=st.sampled_from(["2026-03-02T09:30:00Z", "2027-01-01T00:00:01Z"]),
    policy=POLICIES,
    source=NAMES,
)


def render(run: UnchangedRun) -> dict[str, str]:
    """Return what the renderers write of the same run."""
    facts = RunFacts(
        base=RevisionView(rev=run.base_rev, sha=run.base_sha),
        head=RevisionView(rev=run.head_rev, sha=run.head_sha),
        started_at=run.started_at,
        generated_at=run.generated_at,
        spend=SpendView(calls=0, cached=0, usd=None, usd_is_lower_bound=False),
        gate_source=run.source,
    )
    view = build_view(GateReport(prompts=(), policy=run.policy), facts=facts)
    report = serialize(view)
    texts = {HEADLINE: view.headline}
    for name, renderer in write.OUTPUTS.items():
        pieces = [piece if isinstance(piece, str) else piece.decode() for piece in renderer(report)]
        texts[name] = "".join(pieces)
    return texts


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_what_is_filled_in_is_what_the_renderers_write(run: UnchangedRun) -> None:
    texts = fill_report(run, Redactor())
    assert texts is None or texts == render(run)


def test_a_limit_with_an_exponent_is_left_to_the_renderers() -> None:
    assert fill_report(replace(RUN, policy=GatePolicy(max_drop=1.3e-8)), Redactor()) is None


def test_a_usual_run_is_filled_in() -> None:
    texts = fill_report(RUN, Redactor())
    assert texts == render(RUN)
    assert list(texts)[-1] == "report.json", "it is written last, for it says that the run is complete"


def test_a_secret_in_a_name_is_left_to_the_renderers() -> None:
    assert fill_report(RUN, Redactor(["merge base"])) is None


def test_a_revision_without_a_commit_is_called_the_working_tree_only_where_it_is_that() -> None:
    assert "→ working tree\n" in render(RUN)["comment.md"]
    assert "→ `no-such-branch`\n" in render(replace(RUN, head_rev="no-such-branch"))["comment.md"]
    assert fill_report(replace(RUN, head_rev="no-such-branch"), Redactor()) is None
