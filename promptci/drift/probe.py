"""One-token probes: a cheap look at whether a model is still the one of the reference. A trigger, never a verdict."""

from collections import Counter
from collections.abc import Mapping

from promptci.drift.facts import ProbedModel
from promptci.drift.reference import ProbeReference
from promptci.stats.significance.homogeneity import homogeneity_p

PROBES: Mapping[str, str] = {
    "letter": "Write one letter of the alphabet, any one you like.",
    "digit": "Write one digit from 0 to 9, any one you like.",
    "colour": "Write the name of one colour, any one you like.",
    "word": "Write one word, any one you like.",
}
"""Questions without a right answer: the best tokens nearly tie, so that a small change of the model moves them."""
REPEATS = 5
"""Answers to each probe at one look: 20 requests of one token."""
ALPHA = 1 / (24 * 30)
"""Looked at every hour, an unchanged model starts the goldens about once a month."""
Tokens = Mapping[str, Mapping[str, int]]


def count_tokens(answers: Mapping[str, list[str]]) -> dict[str, dict[str, int]]:
    """Return how often each answer came, by probe."""
    return {probe: dict(sorted(Counter(texts).items())) for probe, texts in sorted(answers.items())}


def merge_probe(before: ProbeReference | None, tokens: Tokens, models: set[str]) -> ProbeReference:
    """Return the probe of a reference with the answers of one more night."""
    merged = {probe: Counter(counts) for probe, counts in (before.answers if before else {}).items()}
    for probe, counts in tokens.items():
        merged.setdefault(probe, Counter()).update(counts)
    return ProbeReference(
        models=tuple(sorted({*(before.models if before else ()), *models})),
        answers={probe: dict(sorted(counts.items())) for probe, counts in sorted(merged.items())},
    )


def compare_probe(reference: ProbeReference | None, model: str, tokens: Tokens, models: set[str]) -> ProbedModel:
    """Return what one look says about a model."""
    answers = sum(sum(counts.values()) for counts in tokens.values())
    if reference is None:
        return ProbedModel(model=model, answers=answers, p=None, new_models=())
    pairs = [(counts, tokens[probe]) for probe, counts in reference.answers.items() if probe in tokens]
    return ProbedModel(
        model=model,
        answers=answers,
        p=homogeneity_p(pairs),
        new_models=tuple(sorted(models - set(reference.models))),
    )


def is_different(facts: ProbedModel) -> bool:
    """Return whether a look starts the goldens. Without a probe in the reference, nothing is known: it does."""
    return facts.p is None or facts.p < ALPHA or bool(facts.new_models)
