"""Sentences on which edit broke a prompt. Pure."""

from collections.abc import Sequence

from promptci.present import escape, formatting
from promptci.report.model.attribution import AttributionView, EditEffectView, EditView
from promptci.wording import count_equal_chars, join_names

MAX_QUOTE_CHARS = 60
MAX_NAMED = 4


def describe_attribution(attribution: AttributionView) -> str:
    """Return what is known of the edits that broke the cases, in one to three sentences."""
    named = [effect for effect in attribution.effects if effect.named]
    count = formatting.count(len(attribution.edits), "edit")
    if attribution.failure is not None:
        return f"Which of the {count} broke it could not be found out: {attribution.failure}."
    if len(attribution.edits) == 1:
        return f"There is one edit: {describe_edit(attribution.edits[0])}."
    if not attribution.reproduced:
        return "The broken cases were right when they were asked again: they broke by chance."
    if not named:
        calls = formatting.count(attribution.calls, "call")
        return f"No single one of the {count} explains the broken cases, as far as {calls} can show."
    sentences = [_describe_effect(effect, attribution) for effect in named[:MAX_NAMED]]
    if attribution.joint:
        sentences.append("They break the same cases together: undoing any one of them fixes these.")
    elif attribution.alone and len(named) > 1:
        sentences.append("Each of them breaks the cases by itself.")
    others = len(attribution.edits) - sum(len(effect.edits) for effect in named)
    if others and not attribution.alone:
        subject = "The other edit" if others == 1 else f"None of the other {others:,} edits"
        sentences.append(f"{subject} showed {'no ' if others == 1 else 'an '}effect on them.")
    return " ".join(sentences)


def _describe_effect(effect: EditEffectView, attribution: AttributionView) -> str:
    edits = [edit for edit in attribution.edits if edit.number in effect.edits]
    right = describe_share(effect.correct, effect.answers)
    control = describe_share(effect.control_correct, effect.control_answers)
    subject = _name(edits)
    if attribution.alone:
        return (
            f"{subject} breaks cases even alone. With only this edit {right} answers to the broken cases are right,"
            f" without any edit {control}."
        )
    return f"{subject} broke cases. Without this edit {right} answers to the broken cases are right, with it {control}."


def _name(edits: Sequence[EditView]) -> str:
    """Name an edit, or those that could not be told apart, as the subject of a sentence."""
    if len(edits) > 1:
        return f"One of {len(edits):,} edits ({join_names([describe_edit(edit) for edit in edits], MAX_NAMED)})"
    text = describe_edit(edits[0]) if edits else "an edit that the report does not name"
    return text[:1].upper() + text[1:]


def describe_edit(edit: EditView) -> str:
    """Return an edit in words: `removing “Answer with the number alone.” from the system message`."""
    if edit.place == "model" or edit.place.startswith("parameter "):
        return f"changing the {edit.place} from {_quote(edit.before)} to {_quote(edit.after)}"
    if edit.place.startswith(("added ", "removed ")):
        verb, _, message = edit.place.partition(" ")
        return f"{'adding' if verb == 'added' else 'removing'} the {message} {_quote(edit.before or edit.after)}"
    if not edit.before:
        return f"adding {_quote(edit.after)} to the {edit.place}"
    if not edit.after:
        return f"removing {_quote(edit.before)} from the {edit.place}"
    before, after = (escape.one_line(text.strip()) for text in (edit.before, edit.after))
    if max(len(before), len(after)) > MAX_QUOTE_CHARS:
        start = _last_word(before[: count_equal_chars(before, after)])
        before, after = (f"…{text[start:]}" if start else text for text in (before, after))
    return f"changing {_quote(before)} to {_quote(after)} in the {edit.place}"


def _last_word(text: str) -> int:
    """Return where the last word of a text begins, or the text's end where it ends with a space."""
    return text.rfind(" ") + 1


def _quote(text: str) -> str:
    return f"“{escape.shorten(escape.one_line(text.strip()), MAX_QUOTE_CHARS)}”" if text else "nothing"


def describe_share(correct: float, answers: int) -> str:
    """Return how many answers were right: `18 of 20`; a dash where none was asked for."""
    marks = f"{correct:,.0f}" if correct == round(correct) else f"{correct:,.1f}"
    return f"{marks} of {answers:,}" if answers else "–"
