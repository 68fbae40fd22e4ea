"""Which edit of a change broke a prompt, as report.json has it."""

from pydantic import Field

from promptci.report.model.numbers import ViewModel


class EditView(ViewModel):
    """One edit of the change."""

    number: int
    place: str = Field(description="Such as `model`, `parameter temperature`, `system message`.")
    before: str = Field(description="Text at base; empty where something was added.")
    after: str = Field(description="Text at head; empty where something was removed.")


class EditEffectView(ViewModel):
    """What the broken cases did with one edit undone; or some, where they could not be told apart."""

    edits: list[int] = Field(description="Numbers of the edits.")
    correct: float = Field(description="Sum of the marks of the answers.")
    answers: int
    control_correct: float = Field(description="Of the version that it is compared with.")
    control_answers: int
    named: bool = Field(description="Whether this is shown to have broken cases.")


class AttributionView(ViewModel):
    """What a search for the edits that broke the cases came to."""

    edits: list[EditView]
    broken: int = Field(description="Cases that the change broke.")
    effects: list[EditEffectView]
    calls: int
    alone: bool = Field(description="The named edits were applied alone, instead of undone alone.")
    joint: bool = Field(description="Undoing any one of the named edits mends the same cases.")
    reproduced: bool = Field(description="False: the broken cases did not break again.")
    failure: str | None = Field(description="Why nothing was found out; null where the search was made.")
