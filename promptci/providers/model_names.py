"""Map the model name of a prompt to the name that the endpoint knows."""

from collections.abc import Mapping

_OPENAI_HOST = "api.openai.com"


def map_model_name(model: str, names: Mapping[str, str], host: str) -> str:
    """Return the endpoint's name of a model.

    `names` maps exact names, or patterns with one `*`: `openai/*: "*"` removes the prefix. The first match counts.
    GitHub's prompt files write `openai/gpt-4o`, which api.openai.com knows as `gpt-4o`; this needs no entry.
    """
    if model in names:
        return names[model]
    for pattern, replacement in names.items():
        prefix, star, suffix = pattern.partition("*")
        fits = model.startswith(prefix) and model.endswith(suffix) and len(model) >= len(prefix) + len(suffix)
        if star and fits:
            return replacement.replace("*", model[len(prefix) : len(model) - len(suffix)], 1)
    return model.removeprefix("openai/") if host == _OPENAI_HOST else model
