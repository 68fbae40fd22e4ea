"""Ask the new version with the models that its own configuration names, by the endpoint of the binding one."""

from collections.abc import Mapping
from dataclasses import replace

from promptci.config.model import Config
from promptci.config.sections.prompt_override import find_overrides
from promptci.pipeline.collection import change_reasons
from promptci.prompts.model import Prompt
from promptci.providers.http.endpoint import host_name
from promptci.providers.model_names import map_model_name
from promptci.providers.options import ProviderOptions


def apply_head_models(
    prompts: Mapping[str, Prompt], binding: ProviderOptions, head: ProviderOptions
) -> tuple[dict[str, Prompt], dict[str, str]]:
    """Return head's prompts (by path) with the models of head's `provider.models`, and entries that `binding` needs.

    A prompt whose model means the same in both configurations stays as it is. Where `binding` would map head's model
    to yet another one, the prompt gets a name of its own, which the entries map to that model.
    """
    host, entries = host_name(binding.base_url), dict[str, str]()
    resolved = {}
    for path, prompt in prompts.items():
        head_model = map_model_name(prompt.model, head.models, host)
        model = prompt.model
        if head_model != map_model_name(model, binding.models, host):
            model = head_model
            if map_model_name(head_model, binding.models, host) != head_model:
                model = f"{prompt.model} ({head_model})"
                entries[model] = head_model
        resolved[path] = prompt if model == prompt.model else replace(prompt, model=model)
    return resolved, entries


def apply_models(
    prompts: dict[str, Prompt], config: Config, head: ProviderOptions
) -> tuple[dict[str, Prompt], dict[str, str]]:
    """Ask with the models that head's configuration names, but for prompts with an endpoint of their own."""
    common = {
        address: prompt
        for address, prompt in prompts.items()
        if change_reasons.named_endpoint(prompt) is None
        and not any(override.endpoint for override in find_overrides(config.overrides, prompt))
    }
    renamed, entries = apply_head_models(common, config.provider, head)
    return {**prompts, **renamed}, entries
