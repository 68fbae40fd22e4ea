"""Describe the judges and models that score a prompt's answers; the fingerprint contains this description."""

from collections.abc import Iterable

from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.scoring import embedding_similarity
from promptci.scoring.judges import evaluator


def describe_scorers(
    cases: Iterable[Case], *, model: str | None, rubric: str | None, embedding_model: str | None
) -> dict[str, str]:
    """Name judge and rubric, evaluators, and embedding models, as far as any assertion of the cases uses them."""
    assertions = [assertion for case in cases for assertion in case.assertions]
    scorers = {}
    if any(assertion.type == "judge" for assertion in assertions):
        scorers["judge"] = f"{model}, rubric {canonical.digest(rubric)}"
    evaluators = {canonical.digest(a.value): evaluator.model_name(a, model) for a in assertions if a.type == "llm"}
    if evaluators:
        scorers["evaluators"] = f"{', '.join(sorted(set(evaluators.values())))}, {canonical.digest(sorted(evaluators))}"
    embedding = {
        embedding_similarity.embedding_model(a, embedding_model)
        for a in assertions
        if a.type == embedding_similarity.ASSERTION_TYPE
    }
    if embedding:
        scorers["embeddings"] = ", ".join(sorted(filter(None, embedding)))
    return scorers
