"""The kinds of provider. To add one, write its module and list it in PROVIDERS."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import util
from pathlib import Path

from promptci.errors import MissingKeyError, ProviderError
from promptci.files import canonical
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Provider
from promptci.providers.cache import AnswerCache
from promptci.providers.http import endpoint, request_headers
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.http.retry import ProviderClock
from promptci.providers.known_limits import LimitsFile
from promptci.providers.local import model_file
from promptci.providers.local.provider import LocalModel
from promptci.providers.options import ProviderOptions
from promptci.providers.recorded import open_recording
from promptci.redact import Redactor
from promptci.wording import install_extra


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderContext:
    """Everything a provider is created from."""

    options: ProviderOptions
    environ: Mapping[str, str]
    root: Path
    """Folder that relative paths refer to."""
    cache_home: Path
    """Folder of the embedded model."""
    concurrency: int | None = None
    """Calls at once; None finds out what the endpoint allows."""
    memory: Path | None = None
    """Folder in which is kept what endpoints allow; None: nothing is kept."""


def lacks_key(options: ProviderOptions, environ: Mapping[str, str]) -> bool:
    """Return whether an endpoint needs a key and none is set; what listens on this machine needs none."""
    if options.kind != "openai" or not options.api_key_env or endpoint.is_loopback(options.base_url):
        return False
    return not environ.get(options.api_key_env, "").strip()


def _explain_missing_key(name: str, environ: Mapping[str, str]) -> str:
    """Return where to set the key: in the workflow on GitHub Actions, elsewhere in the shell."""
    without = 'For an endpoint without a key, set `api_key_env: ""`; to try without any, set `kind: local`.'
    if environ.get("GITHUB_ACTIONS") == "true":
        return (
            f"In the workflow, add `{name}: ${{{{ secrets.{name} }}}}` under `env:` of the step and the secret under "
            f"Settings > Secrets and variables > Actions; a pull request from a fork gets no secrets. {without}"
        )
    return f"Run `export {name}=…` first. {without}"


def find_embedded_model(environ: Mapping[str, str], cache_home: Path) -> Path:
    """Return the file of the embedded model.

    Raises
    ------
    ProviderError
        Where the extra `local` is not installed, or the file is not there.
    """
    if util.find_spec("xllamacpp") is None:
        raise ProviderError("the embedded model needs the extra `local`", install_extra("local"))
    return model_file.find_model_file(environ, cache_home)


def _create_openai(context: ProviderContext) -> Provider:
    options = context.options
    key = _key(options, context.environ)
    endpoint.check_base_url(options.base_url, has_key=key is not None)
    if lacks_key(options, context.environ):
        message = f"`{options.api_key_env}` is not set, and the endpoint requires a key"
        raise MissingKeyError(message, _explain_missing_key(options.api_key_env, context.environ))
    headers = request_headers.expand_headers(options.headers, context.environ)
    redactor = _redactor(options, context.environ)
    provider = OpenAIProvider(
        replace(options, headers=headers), key=key, redactor=redactor, concurrency=context.concurrency
    )
    if context.memory is not None and context.concurrency is None:
        provider.limits_file = LimitsFile(context.memory, options.base_url)
    return provider


def _create_local(context: ProviderContext) -> Provider:
    file = find_embedded_model(context.environ, context.cache_home)
    return LocalModel(file, timeout_s=context.options.timeout_s)


def _create_recorded(context: ProviderContext) -> Provider:
    path = context.options.path
    if not path:
        raise ProviderError("provider.path is missing", "Name the file with the recorded answers.")
    return open_recording(context.root / path, shown_as=path)


def _refuse_command(_context: ProviderContext) -> Provider:
    message = "`kind: command` answers in `check` and `run` only, where the files of each revision are at hand"
    raise ProviderError(message, "Set another `provider.kind` for this command, in a configuration of its own.")


PROVIDERS: dict[str, Callable[[ProviderContext], Provider]] = {
    "openai": _create_openai,
    "local": _create_local,
    "recorded": _create_recorded,
    "command": _refuse_command,
}


def create_provider(
    options: ProviderOptions,
    environ: Mapping[str, str],
    root: Path,
    cache_home: Path,
    *,
    concurrency: int | None = None,
    memory: Path | None = None,
) -> Provider:
    """Create the provider that `options` describe; `concurrency` and `memory` as in section `run` of promptci.yml.

    Raises
    ------
    ProviderError
        If no call could succeed: no key, no model file, an address or proxy that is refused.
    InputError
        If a recording cannot be read.
    """
    try:
        factory = PROVIDERS[options.kind]
    except KeyError:
        kinds = ", ".join(PROVIDERS)
        raise ProviderError(f"provider.kind: there is no kind `{options.kind}`", f"Use one of {kinds}.") from None
    return factory(
        ProviderContext(
            options=options,
            environ=environ,
            root=root,
            cache_home=cache_home,
            concurrency=concurrency,
            memory=memory,
        )
    )


def create_batch_client(
    options: ProviderOptions, environ: Mapping[str, str], clock: ProviderClock | None = None
) -> BatchClient | None:
    """Return a client of the endpoint's Batch API, or None for a kind of provider that has none."""
    if options.kind != "openai":
        return None
    headers = request_headers.expand_headers(options.headers, environ)
    key, redactor = _key(options, environ), _redactor(options, environ)
    return BatchClient(replace(options, headers=headers), key=key, redactor=redactor, clock=clock)


def open_answer_cache(
    options: ProviderOptions, environ: Mapping[str, str], folder: Path, *, reads: bool = True
) -> AnswerCache | None:
    """Open the cache of this endpoint's answers in `folder`; None for recorded answers, which need none.

    Where it does not read, the answers of earlier runs are replaced.
    """
    if options.kind in {"recorded", "command"}:
        return None
    location = options.base_url.rstrip("/") if options.kind == "openai" else environ.get("PROMPTCI_MODEL_FILE", "")
    secret = _key(options, environ) or "" if options.kind == "openai" else ""
    namespace = f"{options.kind} {location}{_answer_options(options)}"
    cache = AnswerCache(folder, namespace=namespace, secret=secret)
    if not reads:
        cache.forget_earlier()
    cache.redactor = _redactor(options, environ)
    return cache


def _answer_options(options: ProviderOptions) -> str:
    """Return what else changes the answers to a request, so that cached answers are not mixed."""
    renamed = f" models {canonical.digest(dict(options.models))}" if options.models else ""
    return renamed + ("" if options.strip_reasoning else " with reasoning")


def _redactor(options: ProviderOptions, environ: Mapping[str, str]) -> Redactor:
    names = request_headers.variable_names(options.headers)
    return Redactor.from_environ(environ, options.api_key_env, *names)


def _key(options: ProviderOptions, environ: Mapping[str, str]) -> str | None:
    """Return the key or None; a stray newline from the secret's input field is removed."""
    key = environ.get(options.api_key_env, "").strip() if options.api_key_env else ""
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        message = f"the key in {options.api_key_env} contains a blank, a line break or a character that no key has"
        raise ProviderError(message, "Paste the key into the secret again, without anything around it.")
    return key
