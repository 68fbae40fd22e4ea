"""Build the view of which edit broke a prompt."""

from promptci.attribution.attribution import Attribution
from promptci.attribution.search import GroupEffect
from promptci.report.model import json_safe
from promptci.report.model.attribution import AttributionView, EditEffectView, EditView


def build_attribution_view(attribution: Attribution | None) -> AttributionView | None:
    """Return the view; None where no edit was looked for."""
    if attribution is None:
        return None
    result = attribution.result
    return AttributionView(
        edits=[
            EditView(
                number=edit.number,
                place=json_safe.text(edit.place),
                before=json_safe.text(edit.before),
                after=json_safe.text(edit.after),
            )
            for edit in attribution.edits
        ],
        broken=attribution.broken,
        effects=[_effect(effect) for effect in result.effects] if result is not None else [],
        calls=result.calls if result is not None else 0,
        alone=result is not None and result.is_alone,
        joint=result is not None and result.is_joint,
        reproduced=result is None or result.is_reproduced,
        failure=json_safe.optional_text(attribution.failure),
    )


def _effect(effect: GroupEffect) -> EditEffectView:
    return EditEffectView(
        edits=list(effect.edits),
        correct=effect.correct,
        answers=effect.answers,
        control_correct=effect.control_correct,
        control_answers=effect.control_answers,
        named=effect.is_named,
    )
