"""Check one endpoint: its address, the prices of its models, and whether this machine has what it needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from promptci.errors import ProviderError
from promptci.providers import registry
from promptci.providers.base import Usage
from promptci.providers.http import endpoint
from promptci.providers.local import model_file
from promptci.providers.options import ProviderOptions
from promptci.providers.prices import PriceList


class EndpointFinding(NamedTuple):
    """One thing to fix about an endpoint."""

    level: Literal["error", "warning"]
    message: str
    fix: str
    key: str
    """Key of its section that this is about."""


def describe_endpoint(options: ProviderOptions, environ: Mapping[str, str]) -> str:
    """Return where requests go, and whether the key is set here."""
    key = options.api_key_env
    presence = f", key from {key}{', which is set here' if environ.get(key) else ''}" if key else ""
    addresses = {"openai": f"{options.base_url}{presence}", "recorded": f"recorded answers in {options.path}"}
    return addresses.get(options.kind, "the embedded model")


def examine_endpoint(
    options: ProviderOptions, models: set[str], root: Path, environ: Mapping[str, str] | None
) -> Iterator[EndpointFinding]:
    """Yield what to fix; without `environ`, this machine is not checked."""
    if options.kind == "recorded" and (not options.path or not (root / options.path).is_file()):
        message = f"there is no file of recorded answers at `{options.path or ''}`"
        yield EndpointFinding("error", message, "Record it: `promptci check --record FILE`.", "path")
    if options.kind == "openai":
        try:
            endpoint.check_base_url(options.base_url, has_key=bool(options.api_key_env))
        except ProviderError as error:
            yield EndpointFinding("error", error.message, error.hint, "base_url")
            return
        yield from _find_unpriced_models(options, models)
    if environ is not None and not environ.get("CI"):
        yield from _find_missing_here(options, environ)


def note_endpoint(options: ProviderOptions, models: set[str], environ: Mapping[str, str] | None) -> Iterator[str]:
    """Yield what is no mistake and may be unexpected; without `environ`, this machine is not checked."""
    if environ is not None:
        yield from _note_missing_key(options, environ)
    yield from _note_unpriced_models(options, models)


def _note_missing_key(options: ProviderOptions, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a note where the key is not set here and that is no mistake: in CI, or for an endpoint on this machine."""
    name = options.api_key_env
    if options.kind == "openai" and name and not environ.get(name):
        if environ.get("CI"):
            yield f"{name} is not set in this step; the step that asks {options.base_url} has to set it"
        elif not registry.lacks_key(options, environ):
            yield f"{name} is not set here, and {options.base_url} may need none"


def _note_unpriced_models(options: ProviderOptions, models: set[str]) -> Iterator[str]:
    """Yield a note for each model on this machine without a known price: as a rule, it costs nothing."""
    if options.kind == "openai" and endpoint.is_loopback(options.base_url):
        for model in _list_unpriced_models(options, models):
            price = f"`provider.prices: {{{model}: {{input_usd: 0, output_usd: 0}}}}`"
            yield f"{_describe_unpriced(model)}. If {options.base_url} is free of charge, write {price}."


def _find_unpriced_models(options: ProviderOptions, models: set[str]) -> Iterator[EndpointFinding]:
    if not endpoint.is_loopback(options.base_url):
        for model in _list_unpriced_models(options, models):
            fix = f"Write it under `provider.prices: {{{model}: …}}`."
            yield EndpointFinding("warning", _describe_unpriced(model), fix, "prices")


def _list_unpriced_models(options: ProviderOptions, models: set[str]) -> list[str]:
    price = PriceList(options).price_usage
    return [m for m in sorted(filter(None, models)) if price(m, Usage(input_tokens=1, output_tokens=1)) is None]


def _describe_unpriced(model: str) -> str:
    return f"the price of the model `{model}` is not known: cost is not reported and `run.budget_usd` not kept"


def _find_missing_here(options: ProviderOptions, environ: Mapping[str, str]) -> Iterator[EndpointFinding]:
    """Yield what this machine lacks to ask the endpoint; a workflow may have it."""
    name = options.api_key_env
    if registry.lacks_key(options, environ):
        message = f"{name} is not set here: `check` and `run` can ask nothing on this machine"
        yield EndpointFinding("warning", message, f"`export {name}=…`, the key of {options.base_url}.", "api_key_env")
    if options.kind == "local":
        try:
            registry.find_embedded_model(environ, model_file.cache_home(environ))
        except ProviderError as error:
            yield EndpointFinding("warning", error.message, error.hint, "kind")
