"""What a self-test was measured on, to tell later whether it still holds."""

from collections.abc import Collection, Mapping

import promptci
from promptci.files import canonical
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.runs.prompt_plan import PromptPlan

PARTS = {
    "prompt": "the prompt",
    "goldens": "its goldens",
    "configuration": "its judge or endpoint",
    "gate": "its gate",
    "promptci": "the version of promptci",
}
"""What a measurement depends on, and its name in a sentence."""
NOISE_PARTS = frozenset(PARTS) - {"gate"}
"""What the noise depends on: how a gate judges the answers does not change them."""


def describe_subject(plan: PromptPlan, collected: CollectedRun) -> dict[str, str]:
    """Return a digest of each part that a prompt's self-test depends on."""
    prompt = plan.change.head or plan.change.base
    provider = collected.provider_of(prompt)
    cases = (planned.case for planned in plan.task.cases)
    settings = [provider.kind, provider.base_url]
    return {
        "prompt": "" if prompt is None else prompt.fingerprint,
        "goldens": canonical.digest([[case.digest, [a.content for a in case.assertions]] for case in cases]),
        "configuration": canonical.digest([*settings, repr(collected.judge_of(plan.name))]),
        "gate": canonical.digest(repr(collected.config.gate.for_prompt(plan.name))),
        "promptci": promptci.__version__,
    }


def find_changed_parts(
    measured: Mapping[str, str], now: Mapping[str, str], parts: Collection[str] = frozenset(PARTS)
) -> list[str]:
    """Return the names of the parts that differ; a measurement without them was made by an older version."""
    return [
        name
        for part, name in PARTS.items()
        if part in parts and measured.get(part) != now[part] and (measured or part == "promptci")
    ]
