"""`promptci/reference/v1`: the answers of several nights that later nights are compared with."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.stats.control_charts.night_noise import ReferenceCase

FOLDER = "drift"
ENDING = ".reference.json"
COMPLETE_ANSWERS = 20
"""Answers to each case in a finished reference."""
ANSWERS_PER_NIGHT = 5
"""So that one bad hour does not become the reference."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class ProbeReference(BaseModel):
    """What the model answered to the probes while the reference was made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...] = Field(description="Names in the responses.")
    answers: dict[str, dict[str, int]] = Field(description="By probe: how often each first token came.")


class ReferenceDocument(Document):
    """The reference of one prompt. Only `promptci drift --freeze` writes it; a reviewed commit puts it into force."""

    HINT: ClassVar[str] = "Do not edit it: delete it and run `promptci drift --freeze`."

    schema_: Literal["promptci/reference/v1"] = Field(default="promptci/reference/v1", alias="schema")
    prompt: str
    version: str = Field(description="As deployed.")
    fingerprint: Digest = Field(description="Of the prompt.")
    goldens: Digest = Field(description="Of the cases, with what decides whether an answer passes.")
    judge: Digest = Field(description="Of the models and texts that score answers, in addition to code.")
    model: str = Field(description="Model that was asked for.")
    models: tuple[str, ...] = Field(description="Models that answered, as the responses name them.")
    nights: tuple[Day, ...] = Field(description="Days on which answers were collected, in UTC.")
    answers: int = Field(ge=1, description=f"Answers to each case; {COMPLETE_ANSWERS} are a whole reference.")
    cases: dict[str, tuple[float, float]] = Field(
        description="By case: answers that passed, and that failed. Of scores: their sum, and what is missing to 1."
    )
    k: float = Field(description="Drop of a night that is not summed up.")
    h: float | None = Field(description="Limit of the sum when this was written; null while learning.")
    alarms_per_year: float = Field(description="False alarms a year for this prompt, when this was written.")
    probe: ProbeReference | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it holds all its answers, so that small drops can be summed up."""
        return self.answers >= COMPLETE_ANSWERS

    @property
    def frozen(self) -> str:
        """Day of its last answers."""
        return self.nights[-1] if self.nights else ""

    def usable_cases(self) -> dict[str, float]:
        """Return the mean mark of each case that has two answers or more."""
        return {
            case: passed / (passed + failed) for case, (passed, failed) in self.cases.items() if passed + failed >= 1.5
        }

    def noise_cases(self, weights: Mapping[str, float]) -> list[ReferenceCase]:
        """Return the usable cases that have a weight, for an estimate of the noise."""
        return [
            ReferenceCase(passed=passed, answers=round(passed + failed), weight=weights[case])
            for case, (passed, failed) in self.cases.items()
            if passed + failed >= 1.5 and weights.get(case, 0) > 0
        ]


def reference_path(prompt: str) -> str:
    """Return where the reference of a prompt is in the repository."""
    return f"{FOLDER}/{quote(prompt, safe=' ')}{ENDING}"
