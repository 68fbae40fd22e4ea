"""What is said of the edits that broke a prompt, for every way that a search can end."""

from typing import Any

import pytest

from promptci.report.model.attribution import AttributionView, EditEffectView, EditView
from promptci.report.text.attribution_text import describe_attribution, describe_edit

EDITS = [
    EditView(number=1, place="parameter temperature", before="0", after="1"),
    EditView(number=2, place="system message", before="Answer with the number alone.", after=""),
    EditView(number=3, place="user message", before="", after="Please."),
]


def effect(*edits: int, correct: float = 18, control: float = 2, named: bool = True) -> EditEffectView:
    return EditEffectView(
        edits=list(edits), correct=correct, answers=20, control_correct=control, control_answers=20, named=named
    )


def view(*effects: EditEffectView, **changes: Any) -> AttributionView:
    known = {"calls": 160, "alone": False, "joint": False, "reproduced": True, "failure": None, **changes}
    return AttributionView(edits=EDITS, broken=21, effects=list(effects), **known)


REMOVED = "emoving “Answer with the number alone.” from the system message"
RIGHT = "Without this edit 18 of 20 answers to the broken cases are right, with it 2 of 20."


WARMER = "Changing the parameter temperature from “0” to “1”"
TOGETHER = "They break the same cases together: undoing any one of them fixes these."
ALONE = "breaks cases even alone. With only this edit 2 of 20 answers to the broken cases are right"
UNCLEAR = "broke cases. Without this edit 17.5 of 20 answers to the broken cases are right, with it 2 of 20."
ONE, TWO = "The other edit showed no effect on them.", "None of the other 2 edits showed an effect on them."


@pytest.mark.parametrize(
    ("attribution", "text"),
    [
        (view(effect(1, named=False), effect(2), effect(3, named=False)), f"R{REMOVED} broke cases. {RIGHT} {TWO}"),
        (
            view(effect(1), effect(2), effect(3, named=False), joint=True),
            f"{WARMER} broke cases. {RIGHT} R{REMOVED} broke cases. {RIGHT} {TOGETHER} {ONE}",
        ),
        (view(effect(2, correct=2, control=19), alone=True), f"R{REMOVED} {ALONE}, without any edit 19 of 20."),
        (
            view(effect(1, named=False), effect(2, 3, correct=17.5)),
            f"One of 2 edits (r{REMOVED} and adding “Please.” to the user message) {UNCLEAR} {ONE}",
        ),
        (view(), "No single one of the 3 edits explains the broken cases, as far as 160 calls can show."),
        (view(reproduced=False), "The broken cases were right when they were asked again: they broke by chance."),
        (view().model_copy(update={"edits": EDITS[1:2]}), f"There is one edit: r{REMOVED}."),
        (view(failure="no key"), "Which of the 3 edits broke it could not be found out: no key."),
    ],
)
def test_the_sentences_are_as_written_here(attribution: AttributionView, text: str) -> None:
    assert describe_attribution(attribution) == text


def test_long_texts_are_cut_to_where_they_differ() -> None:
    same = "You are the assistant of a shop that sells musical instruments and everything around them, "
    edit = EditView(
        number=1, place="system message", before=f"{same}and you are brief.", after=f"{same}and you are rude."
    )
    assert describe_edit(edit) == "changing “…brief.” to “…rude.” in the system message"
