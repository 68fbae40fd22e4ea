"""Texts of findings about the run as a whole: files, secrets, time and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptci.findings import FilteredRun, InterruptedRun, MessageFacts, NoSecrets, PromptNames, UntestedSettings
from promptci.present.finding_text.text import FindingText
from promptci.wording import count, join_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from promptci.gates.people.approval_rule import ApprovalFacts

MAX_PROMPTS = 20


def message(facts: MessageFacts) -> FindingText:
    """Pass on an error in the words of the module that raised it."""
    return FindingText(facts.message.rstrip("."), verbatim=True)


def interrupted(facts: InterruptedRun) -> FindingText:
    """Describe a run that time or money ended."""
    return FindingText(f"the run was not finished: {facts.cause.rstrip('.')}")


def no_secrets(facts: NoSecrets) -> FindingText:
    """Describe prompts that could not be tested for lack of an API key."""
    names = join_names([f"`{name}`" for name in facts.prompts], MAX_PROMPTS)
    verb = "was" if len(facts.prompts) == 1 else "were"
    return FindingText(
        f"{names} {verb} not tested: GitHub gives no secrets to {facts.source}, so there is no API key."
        f" {facts.remedy.rstrip('.')}",
    )


def unmerged_configuration(facts: PromptNames) -> FindingText:
    """Describe prompts that were compared by a configuration that nobody has reviewed."""
    names = join_names([f"`{name}`" for name in facts.names], MAX_PROMPTS)
    verb = "was" if len(facts.names) == 1 else "were"
    return FindingText(
        f"{names} {verb} compared by the configuration of this change, because the base revision has none",
        "Commit the configuration to the base branch first, in a pull request of its own; then the change of the prompt"
        " can pass.",
    )


def nothing_compared(_: object) -> FindingText:
    """Describe a check of the commit that it would compare with."""
    return FindingText(
        "nothing was compared: the last commit is the merge base itself, and no file was edited since",
        "`promptci check --base HEAD~1` compares with the commit before.",
    )


def provider_not_tested(facts: UntestedSettings) -> FindingText:
    """Describe settings of the endpoint that a change edits, while the base's endpoint answered."""
    names = join_names([f"`{name}`" for name in facts.names], MAX_PROMPTS)
    return FindingText(
        f"this change edits {names}, which was not tested: both versions were asked as the base revision says",
        "A pull request must not choose where an API key is sent. After the merge, `promptci run` tests every prompt"
        " with the new setting.",
    )


def filtered(facts: FilteredRun) -> FindingText:
    """Describe a run of some of the prompts and cases."""
    return FindingText(
        f"only {facts.cases:,} of {count(facts.all_cases, 'case')} were asked (`{' '.join(facts.filters)}`), so this"
        " run cannot pass",
        "The results below are of these cases. Run without `--prompt` and `--case` for a verdict on the change.",
    )


def unfinished_early_stop(facts: MessageFacts) -> FindingText:
    """Describe an early stop after which an answer was lost."""
    return FindingText(f"the run was stopped early, and then {facts.message}", "Run again without `run.early_stop`.")


def missing_approval(facts: ApprovalFacts) -> FindingText:
    """Describe an approval that nobody, or not enough people, gave."""
    progress = f"; {len(facts.approvers)} of {facts.needed} are there" if facts.needed > 1 else ""
    detail = f"It counts for the head commit alone, and not from the author. Rule: `{facts.pattern}`."
    if facts.stale:
        stale = _code_names(facts.stale)
        detail = f"{stale} approved an earlier commit, so the review is needed again. {detail}"
    return FindingText(f"{_approval(facts)} is missing: it takes {_reviewers(facts)}{progress}", detail)


def unknown_approval(facts: ApprovalFacts) -> FindingText:
    """Describe an approval that GitHub could not be asked about."""
    return FindingText(f"{_approval(facts)} could not be checked: {facts.reason.rstrip('.')}")


def unchecked_approval(facts: ApprovalFacts) -> FindingText:
    """Describe an approval that this run cannot see, because it belongs to no pull request."""
    return FindingText(f"{_approval(facts)} takes {_reviewers(facts)}, which can be checked in the pull request only")


def approved(facts: ApprovalFacts) -> FindingText:
    """Describe an approval that is there."""
    return FindingText(f"{_approval(facts)} is there, by {_code_names([each.login for each in facts.approvers])}")


def _approval(facts: ApprovalFacts) -> str:
    return f"the approval `{facts.role}` for {_code_names(facts.prompts)}"


def _reviewers(facts: ApprovalFacts) -> str:
    if facts.needed > 1:
        return f"reviews by {facts.needed} of {_code_names(facts.by)}"
    return f"a review by {'one of ' if len(facts.by) > 1 else ''}{_code_names(facts.by)}"


def _code_names(names: Sequence[str]) -> str:
    return join_names([f"`{name}`" for name in names], MAX_PROMPTS)
