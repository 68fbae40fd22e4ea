"""Spans of OpenInference as Phoenix exports them: one row a span, attributes as columns; annotations apart.

Source: https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

from promptci.requestlog.aliases import ALIASES, Alias, aliases
from promptci.requestlog.formats.dialect import Dialect, ErrorStatus, Scores

NAMES = {
    "prompt": aliases("prompt.id", "llm.prompt_template.name"),
    "version": aliases("llm.prompt_template.version"),
    "user": aliases("user.id"),
    "cost_usd": aliases("llm.cost.total"),
    "model": aliases("llm.model_name"),
    "input_tokens": aliases("llm.token_count.prompt"),
    "output_tokens": aliases("llm.token_count.completion"),
}
"""Attributes of a span; spans in OTLP/JSON may have them too."""


def _as_columns(names: tuple[Alias, ...]) -> tuple[Alias, ...]:
    return tuple(Alias(name=f"attributes.{name.name}", path=name.path, scale=name.scale) for name in names)


OPENINFERENCE = Dialect(
    name="OpenInference",
    markers=(
        ("context.span_id", "attributes.llm.model_name"),
        ("context.span_id", "span_kind", "start_time"),
    ),
    fields={
        **{field: _as_columns(names) for field, names in ALIASES.items()},
        **{field: _as_columns((*names, *ALIASES[field])) for field, names in NAMES.items()},
        "time": aliases("start_time"),
        "end": aliases("end_time"),
        "id": aliases("attributes.promptci.request", "context.span_id"),
        "second_id": aliases("context.span_id"),
    },
    metadata=Alias(name="attributes.metadata"),
    kind=Alias(name="span_kind"),
    request_kinds=("LLM",),
    status=ErrorStatus(
        status=Alias(name="status_code"),
        values=("ERROR",),
        kind=aliases("attributes.error.type", "attributes.exception.type", "status_message"),
    ),
)
OPENINFERENCE_ANNOTATIONS = Dialect(
    name="OpenInference annotations",
    markers=(("span_id", "annotator_kind", "name"),),
    fields={"id": aliases("span_id"), "second_id": aliases("span_id"), "time": aliases("created_at", "updated_at")},
    scores=Scores(name=Alias(name="name"), value=Alias(name="score"), label=Alias(name="label")),
)
