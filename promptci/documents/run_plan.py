"""`RunPlan`: what `run` and `check` print with --dry-run and --json."""

from typing import Literal

from pydantic import Field

from promptci.documents.document import Document


class RunPlan(Document):
    """What a run would ask, and the most that its first questions can cost; nothing was asked."""

    schema_: Literal["promptci/run-plan/v1"] = Field(default="promptci/run-plan/v1", alias="schema")
    dry_run: Literal[True] = True
    prompts: list[str] = Field(default=[], description="Names of the prompts that would be tested.")
    cases: int = Field(default=0, ge=0)
    answers: int = Field(default=0, ge=0, description="Answers of all versions and repeats.")
    calls: int = Field(default=0, ge=0, description="Requests: equal ones are sent once. Cache hits are not deducted.")
    input_tokens: int = Field(default=0, ge=0, description="Estimated.")
    output_tokens: int = Field(default=0, ge=0, description="At most.")
    usd: float | None = Field(default=0, description="At most; null where no price is known.")
    usd_is_lower_bound: bool = Field(default=False, description="Whether the price of some model is unknown.")
    lines: list[str] = Field(default=[], description="What a person is told, with what may be asked after this.")
