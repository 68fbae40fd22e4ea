"""The kinds of provider; to add one, write its file and list it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from promptci.errors import MissingKeyError, ProviderError
from promptci.providers.base import Provider
from promptci.providers.cache import AnswerCache
from promptci.providers.http import endpoint
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.local import model_file
from promptci.providers.local.provider import LocalModel
from promptci.providers.options import ProviderOptions
from promptci.providers.recorded import open_recording
from promptci.redact import Redactor


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderContext:
    """What a provider is made from."""

    options: ProviderOptions
    environ: Mapping[str, str]
    root: Path
    """Folder that relative paths start from."""
    cache_home: Path
    """Folder of the embedded model."""
    concurrency: int | None = None
    """Calls at once; None: as many as the endpoint bears."""


def _openai(setting: ProviderContext) -> Provider:
    options = setting.options
    key = _key(options, setting.environ)
    endpoint.check_base_url(options.base_url, has_key=key is not None)
    if key is None and options.api_key_env and not endpoint.is_loopback(options.base_url):
        name = options.api_key_env
        fix = (
            f"In a workflow, add `{name}: ${{{{ secrets.{name} }}}}` under `env:` of the step and the secret under "
            "Settings > Secrets and variables > Actions; a pull request from a fork gets no secrets. "
            'For an endpoint without a key, set `api_key_env: ""`; to try without any, set `kind: local`.'
        )
        raise MissingKeyError(f"there is no key: the environment variable {name} is not set", fix)
    redactor = Redactor.from_environ(setting.environ, options.api_key_env)
    return OpenAIProvider(options, key=key, redactor=redactor, concurrency=setting.concurrency)


def _local(setting: ProviderContext) -> Provider:
    if util.find_spec("xllamacpp") is None:
        raise ProviderError("the embedded model needs the package xllamacpp", "Install promptci-action[local].")
    file = model_file.find_model_file(setting.environ, setting.cache_home)
    return LocalModel(file, timeout_s=setting.options.timeout_s)


def _recorded(setting: ProviderContext) -> Provider:
    path = setting.options.path
    if not path:
        raise ProviderError("provider.path is missing", "Name the file with the recorded answers.")
    return open_recording(setting.root / path, shown_as=path)


PROVIDERS: dict[str, Callable[[ProviderContext], Provider]] = {
    "openai": _openai,
    "local": _local,
    "recorded": _recorded,
}


def create_provider(
    options: ProviderOptions,
    environ: Mapping[str, str],
    root: Path,
    cache_home: Path,
    *,
    concurrency: int | None = None,
) -> Provider:
    """Make the provider that `options` ask for; `concurrency` as in section `run` of promptci.yml.

    Raises
    ------
    ProviderError
        Where nothing could be asked of it: no key, no model file, an address that is refused.
    InputError
        Where a recording cannot be read.
    """
    try:
        factory = PROVIDERS[options.kind]
    except KeyError:
        kinds = ", ".join(PROVIDERS)
        raise ProviderError(f"provider.kind: there is no kind `{options.kind}`", f"Use one of {kinds}.") from None
    return factory(
        ProviderContext(options=options, environ=environ, root=root, cache_home=cache_home, concurrency=concurrency)
    )


def create_batch_client(options: ProviderOptions, environ: Mapping[str, str]) -> BatchClient | None:
    """Give the way to the endpoint's Batch API, or None for a kind of provider that has none."""
    if options.kind != "openai":
        return None
    redactor = Redactor.from_environ(environ, options.api_key_env)
    return BatchClient(options.base_url, key=_key(options, environ), redactor=redactor)


def open_answer_cache(options: ProviderOptions, environ: Mapping[str, str], folder: Path) -> AnswerCache | None:
    """Give the cache of this endpoint's answers in `folder`, or None for recorded answers, which need none."""
    if options.kind == "recorded":
        return None
    where = options.base_url.rstrip("/") if options.kind == "openai" else environ.get("PROMPTCI_MODEL_FILE", "")
    secret = _key(options, environ) or "" if options.kind == "openai" else ""
    cache = AnswerCache(folder, namespace=f"{options.kind} {where}", secret=secret)
    cache.redactor = Redactor.from_environ(environ, options.api_key_env)
    return cache


def _key(options: ProviderOptions, environ: Mapping[str, str]) -> str | None:
    """Give the key, or None where there is none; a stray newline from the secret's input field is cut off."""
    key = environ.get(options.api_key_env, "").strip() if options.api_key_env else ""
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        what = f"the key in {options.api_key_env} holds a blank, a line break or a character that no key has"
        raise ProviderError(what, "Paste the key into the secret again, by itself.")
    return key
