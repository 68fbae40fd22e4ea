"""Texts of findings about the run as a whole: files, secrets, time and money."""

from promptci.findings import InterruptedRun, MessageFacts, NoSecrets, PromptNames
from promptci.present.finding_text.text import FindingText
from promptci.wording import join_names

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
        "Merge the configuration in a pull request of its own first; then the change of the prompt can pass.",
    )


def unfinished_early_stop(facts: MessageFacts) -> FindingText:
    """Describe an early stop after which an answer was lost."""
    return FindingText(f"the run was stopped early, and then {facts.message}", "Run again without `run.early_stop`.")
