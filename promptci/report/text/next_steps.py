"""What to do next, and how to see the same on a laptop. Pure."""

from promptci.present import formatting
from promptci.present.finding_text.quality import MAX_WRITTEN_CASES, instead_of_cases
from promptci.present.finding_text.text import capitalize
from promptci.report.model.report import PromptView, ReportView
from promptci.report.text import memory_text
from promptci.wording import join_names

MAX_PROMPTS = 3
MORE_ANSWERS = "Stricter cases vary less, and a larger `run.auto_calls` asks each of them more often."

_RAISE = "raise `gate.max_cost_increase` on the base branch"
_BY_CAUSE = {
    "model": f"Choose a cheaper model, or {_RAISE}.",
    "answers": f"Ask for shorter answers, or {_RAISE}.",
    "prompt": f"Make the prompt shorter, or {_RAISE}.",
    "price": f"See `provider.prices` and the price list of the endpoint, or {_RAISE}.",
}
"""What to do about a rise of cost, by what made it; another or an unknown cause has the advice of `cost`."""
_NEW_KEY = "Set a key that the endpoint accepts (`provider.api_key_env` names its variable), then run again."
_SET_KEY = "Set the key as the first error says, then run again. An endpoint on this machine may need one too."
_REACH = "Check `provider.base_url`, the network and the proxy settings, then run again."
_BY_KIND = {"auth": _NEW_KEY, "no-key": _SET_KEY, "connection": _REACH}
"""What to do where all requests failed in one way; other ways have the advice of `nothing-evaluated`."""
_NEXT = {
    "regression": "Look at the cases that got worse. Where the new answer is wrong, fix the prompt. Where it is right,"
    " correct the golden in a pull request of its own, so that both versions are measured by the same cases.",
    "critical": "A critical case may not break: fix the prompt until it passes.",
    "min-quality": "Improve the prompt until it reaches `gate.min_quality`, or lower that limit on the base branch.",
    "cost": f"Make the prompt or its answers shorter, choose a cheaper model, or {_RAISE}.",
    "p95": "Make the prompt or its answers shorter, or raise `gate.max_p95_increase` on the base branch.",
    "cut-off": "Raise `maxTokens` in the prompt until its answers are complete, then run again.",
    "nothing-to-lose": "Read some answers: where they are right, the expectation or the evaluator is wrong; where"
    " they are wrong alike, a variable, a template or the model's answer format is the usual cause.",
    "nothing-required": "Set `gate.min_quality`, the share of cases that must pass, so that this can pass or fail.",
    "critical-never-answered": "See why the new version's requests fail for these cases; the report shows the errors.",
    "critical-unanswered": "See why the new version's requests fail for these cases; its length is the usual cause.",
    "no-pairs": "Change goldens and prompt in separate pull requests, so that there are cases to compare.",
    "no-answered-pairs": "See the errors of the cases: a judge without usable scores, a model or the endpoint is the"
    " usual cause. Then run again.",
    "not-comparable": "Run both versions again with `--no-cache`. If the endpoint goes on answering with several"
    " models, name one of them by its date in the prompt, such as `gpt-4o-mini-2024-07-18`.",
    "deleted": "Check that no application uses the deleted prompt any more.",
    "nothing-compared": "`promptci check --base HEAD~1` compares with the commit before.",
    "unreached-change": "Add a golden case that reaches the change, in a pull request of its own, then run again.",
    "missing-goldens": "Add a golden set for the prompt, under the name that `prompts.goldens` in promptci.yml gives.",
    "no-cases": "Add at least one case to the golden set.",
    "budget": "Raise `run.budget_usd`, or ask less: fewer `run.repeats`, or some prompts with `--prompt`. Answers that"
    " are there already come from the cache.",
    "nothing-evaluated": "Read the first error: a wrong key, model name or endpoint is the usual cause. Then run"
    " again.",
    "error-rate": "Read the first error, then run again: answers that are there already come from the cache.",
}
"""Finding to what the author can do about it."""
_RENAME = "Rename the goldens to match the prompt's name, or correct `prompts.goldens`. Then run again: answers that"
_RENAME += " are there already come from the cache."
_NO_SCORE = "Read the first error: the judge gave no score that could be read. Try a clearer evaluator or another"
_NO_SCORE += " model as the judge, then run again: answers that are there already come from the cache."
_UNSCORED = {
    "nothing-evaluated": _NO_SCORE,
    "error-rate": _NO_SCORE,
    "critical-never-answered": "See why no answer to these cases could be scored; the report shows the errors.",
    "critical-unanswered": "See why no answer to these cases could be scored; the report shows the errors.",
}
"""The same for answers that are there and have no score."""
_OF_JUDGE = (
    "Read the answers yourself: no judge that is trusted has marked them. `promptci judge calibrate` shows how far the"
    " judge agrees with people's labels; a clearer evaluator, a better model or more labels may gain it trust."
)


def next_steps(view: ReportView) -> list[str]:
    """Return what to do, most pressing first, each thing once; nothing where all is well."""
    rules = {f.rule for prompt in view.prompts for f in prompt.findings if f.verdict == prompt.verdict}
    rules |= {problem.rule for problem in view.problems if problem.verdict == view.verdict}
    if view.verdict == "fail":  # what blocks comes first
        rules -= {"deleted"}
    if rules & {"budget", "provider"}:  # the missing answers follow from it
        rules -= {"error-rate", "nothing-evaluated", "no-answered-pairs"}
    unscored = {f.rule for prompt in view.prompts for f in prompt.findings if f.facts.get("unscored")}
    texts = {**_NEXT, **{rule: text for rule, text in _UNSCORED.items() if rule in unscored}}
    texts["no-pairs"] = _first_goldens(view)
    texts |= _explain_facts(view)
    steps = list(dict.fromkeys(text for rule, text in texts.items() if rule in rules))
    if "all-excluded" in rules and any(prompt.judge and not prompt.judge.trusted for prompt in view.prompts):
        steps.append(_OF_JUDGE + ("" if view.exit_code else " This does not block the merge."))
    if "cannot-tell" in rules:
        steps.append(_more_cases(view))
    steps += [str(f.facts["remedy"]) for f in view.problems if f.rule == "no-secrets" and f.facts.get("remedy")]
    if view.problems and view.verdict == "error" and not steps:
        steps.append("Nothing was concluded, so this says nothing about your change. Fix the cause and run again.")
    if view.verdict == "error" and view.exit_code:
        steps.append("Until then the check fails: what could not be evaluated is never green.")
    return [*steps, *memory_text.label_requests(view)]


def _explain_facts(view: ReportView) -> dict[str, str]:
    """Return advice that depends on what a finding measured, where all findings of its rule agree on it."""
    findings = [finding for prompt in view.prompts for finding in prompt.findings]
    causes = {finding.facts.get("cause") for finding in findings if finding.rule == "cost"}
    kinds = {finding.facts.get("kind") for finding in findings if finding.rule == "nothing-evaluated"}
    texts = {"cost": _BY_CAUSE[cause]} if len(causes) == 1 and (cause := causes.pop()) in _BY_CAUSE else {}
    advice = _BY_KIND.get(str(kinds.pop())) if len(kinds) == 1 else None
    missing = [finding.facts for finding in findings if finding.rule == "missing-goldens"]
    if missing and all(facts.get("left_behind") for facts in missing):
        texts["missing-goldens"] = _RENAME
    return {**texts, **({"nothing-evaluated": advice} if advice else {})}


def _first_goldens(view: ReportView) -> str:
    """Return what to do where no case is the same at both revisions."""
    facts = [finding.facts for prompt in view.prompts for finding in prompt.findings if finding.rule == "no-pairs"]
    if any(each.get("uncommitted") for each in facts):
        return (
            "Commit promptci.yml and goldens to the base branch first, then edit the prompt and run `promptci check`."
            " To test the working tree as it is: `promptci run`."
        )
    if any(each.get("is_first") for each in facts):
        return "Merge the goldens first: the prompt can then be compared by them."
    return _NEXT["no-pairs"]


def reproduce(view: ReportView) -> str | None:
    """Return the command that runs the same comparison on a laptop; None where a side is no commit."""
    if view.head.sha is None or (view.base is not None and view.base.sha is None):
        return None
    head = f"--head {formatting.short_sha(view.head.sha)}"
    if view.base is None:
        return f"promptci run {head}" if view.kind == "run" else None
    return f"promptci check --base {formatting.short_sha(view.base.sha)} {head}"


def _more_cases(view: ReportView) -> str:
    """Return what settles prompts that are undecided: the results they lack, else more cases or a person."""
    undecided = [(prompt, f) for prompt in view.prompts for f in prompt.findings if f.rule == "cannot-tell"]
    open_ones = [prompt for prompt, finding in undecided if not finding.facts.get("missing_decides")]
    text = "Run again, so that no result is missing: answers that are there already come from the cache."
    if open_ones:
        text = _settle_by_cases(open_ones, view)
    if view.verdict != "inconclusive" or any(problem.rule == "filtered" for problem in view.problems):
        return text
    blocks = " Until then `gate.on_inconclusive` blocks."
    return text + (blocks if view.exit_code else " This does not block the merge.")


def _settle_by_cases(prompts: list[PromptView], view: ReportView) -> str:
    missing = [_count_missing(prompt) for prompt in prompts]
    needed = [
        f"about {formatting.count(number, 'more case')} for {prompt.name}"
        for prompt, number in zip(prompts, missing, strict=True)
        if number
    ]
    named = join_names(needed, MAX_PROMPTS)
    if min(missing) <= MAX_WRITTEN_CASES:
        enough = f" ({named} would decide it)" if needed else ""
        return f"Read the answers that changed and decide yourself, or add golden cases{enough}."
    drops = [(-prompt.quality.delta, (prompt.gate or view.gate).max_drop) for prompt in prompts if prompt.quality]
    instead = capitalize(instead_of_cases(*max(drops, key=lambda pair: pair[0] - pair[1])))
    others = f" {MORE_ANSWERS}" if any(prompt.quality and prompt.quality.rounds for prompt in prompts) else ""
    return f"{instead}. It would take {named} to decide it.{others}"


def _count_missing(prompt: PromptView) -> int:
    """Return how many more cases would settle a prompt's verdict; 0 where none are known to."""
    total = prompt.quality.cases_needed if prompt.quality else None
    return 0 if total is None else max(0, total - prompt.pairs)
