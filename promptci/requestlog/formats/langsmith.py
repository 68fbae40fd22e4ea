"""LangSmith's bulk export: runs, with `extra` and `feedback_stats` as objects or as JSON text.

Source: https://docs.langchain.com/langsmith/data-export
"""

from promptci.requestlog.aliases import Alias, aliases
from promptci.requestlog.formats.dialect import Dialect, ErrorStatus

LANGSMITH = Dialect(
    name="LangSmith",
    markers=(("run_type", "start_time", "id"),),
    fields={
        "time": aliases("start_time"),
        "end": aliases("end_time"),
        "id": aliases("id"),
        "second_id": aliases("trace_id"),
        "prompt": aliases(Alias(name="extra", path=("metadata", "lc_hub_repo"))),
        "version": aliases(Alias(name="extra", path=("metadata", "lc_hub_commit_hash"))),
        "user": aliases(Alias(name="extra", path=("metadata", "user_id"))),
        "cost_usd": aliases("total_cost"),
        "model": aliases(Alias(name="extra", path=("metadata", "ls_model_name"))),
        "input_tokens": aliases("prompt_tokens"),
        "output_tokens": aliases("completion_tokens"),
    },
    metadata=Alias(name="extra", path=("metadata",)),
    kind=Alias(name="run_type"),
    request_kinds=("LLM",),
    status=ErrorStatus(status=Alias(name="status"), values=("ERROR",), kind=aliases("error")),
    inner_scores={
        "quality": aliases(Alias(name="feedback_stats", path=("quality", "avg"))),
        "signal": aliases(
            Alias(name="feedback_stats", path=("user_score", "avg")),
            Alias(name="feedback_stats", path=("user-score", "avg")),
            Alias(name="feedback_stats", path=("signal", "avg")),
        ),
    },
)
