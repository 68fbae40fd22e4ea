"""Texts of what no golden case tests: deleted prompts, changes that no case reaches, goldens that are not there."""

from promptci.gates.baseline_facts import MissingGoldens
from promptci.gates.facts import EmptyGoldens
from promptci.present.finding_text import quality
from promptci.present.finding_text.text import FindingText
from promptci.runs.prompt_plan import UnreachedChange
from promptci.wording import count, join_names

MAX_FILES = 3
"""Files that are named."""


def deleted(facts: EmptyGoldens) -> FindingText:
    """Describe a prompt that the change deletes."""
    goldens = f"; {count(facts.removed, 'golden case')} no longer run" if facts.removed else ""
    return FindingText(f"was deleted{goldens}", "Nothing is left to test, so this cannot pass.")


def unreached_change(facts: UnreachedChange) -> FindingText:
    """Describe a change that no golden case reaches."""
    files = join_names(facts.paths, MAX_FILES)
    where = f" ({join_names([f'`{tag}`' for tag in facts.conditions], MAX_FILES)})" if facts.conditions else ""
    unset = " or ".join(f"`{name}`" for name in facts.unset[:MAX_FILES])
    cause = f"no golden case sets {unset}" if unset else "every request is the same before and after"
    fix = f"Add a case that sets {unset}" if unset else "Add a case for which the two versions send different requests"
    return FindingText(f"was changed in {files}{where} where no golden case reaches it: {cause}", f"{fix}.")


def missing_goldens(facts: MissingGoldens) -> FindingText:
    """Describe a prompt that no golden set matches; what the old one shows decides nothing, and is worth knowing."""
    result = result_by_old_goldens(facts)
    by_old = f"; by the old ones it {result}" if result else ""
    if facts.left_behind:
        return FindingText(
            f"no longer has its goldens, so nothing decides{by_old}",
            "They are still there: rename them with the prompt, or correct `prompts.goldens`.",
        )
    if facts.removed:
        return FindingText(
            f"has no goldens any more, so nothing decides: this change removes {count(facts.removed, 'case')}{by_old}",
            "Restore the goldens, or replace them in a pull request of their own.",
        )
    return FindingText(
        "has no goldens, so nothing was tested",
        "Add a golden set under the name that `prompts.goldens` gives; a `.prompt.yml` can have testData instead.",
    )


def result_by_old_goldens(facts: MissingGoldens) -> str:
    """Return what base's goldens show of a prompt that has none at head: `got worse (30 of 30 → 20 of 30)`."""
    if facts.by_old is None:
        return ""
    match facts.old_rule:
        case "regression":
            return quality.brief_loss(facts.by_old)
        case "not-worse":
            return quality.brief_hold(facts.by_old)
        case _:
            return f"cannot be decided ({quality.sides(facts.by_old)})"


def no_cases(facts: EmptyGoldens) -> FindingText:
    """Describe a golden set without cases."""
    removed = f"The base revision has {count(facts.removed, 'case')}. " if facts.removed else ""
    files = f" ({join_names([f'`{path}`' for path in facts.paths], MAX_FILES)})" if facts.paths else ""
    return FindingText(f"has an empty golden set{files}, so nothing was tested", f"{removed}Add at least one case.")
