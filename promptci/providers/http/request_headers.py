"""Extra request headers from promptci.yml, with values from the environment."""

import re
from collections.abc import Iterable, Mapping

from promptci.errors import ProviderError

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_RESERVED_NAMES = {
    *("host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding"),
    *("accept", "accept-encoding", "cookie", "proxy-authorization", "user-agent"),
}
_PLATFORM_VARIABLES = re.compile(r"(GITHUB|GH|ACTIONS|RUNNER|AWS|AZURE|GOOGLE|GCLOUD|CLOUDSDK|INPUT)_.*", re.IGNORECASE)


def variable_names(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environment variables that the values refer to as `${NAME}`."""
    return tuple(dict.fromkeys(name for value in headers.values() for name in _VARIABLE.findall(value)))


def expand_headers(headers: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Replace `${NAME}` in the values of `provider.headers` by environment variables.

    Raises
    ------
    ProviderError
        For a header that promptci sets itself, a variable that is not set, a token of GitHub or of a cloud provider,
        or a value that would break the request.
    """
    refused = [name for name in variable_names(headers) if _PLATFORM_VARIABLES.fullmatch(name)]
    if refused:
        message = f"provider.headers: {_quote_names(refused)} must not be sent to an endpoint"
        raise ProviderError(message, "Copy the value that the endpoint needs into a variable of another name.")
    missing = [name for name in variable_names(headers) if not environ.get(name)]
    if missing:
        in_workflow = environ.get("GITHUB_ACTIONS") == "true"
        hint = "Set it under `env:` of the step." if in_workflow else f"Run `export {missing[0]}=…` first."
        raise ProviderError(f"provider.headers: {_quote_names(missing)} is not set", hint)
    expanded = {name: _VARIABLE.sub(lambda match: environ[match[1]].strip(), value) for name, value in headers.items()}
    for name, value in expanded.items():
        if not _NAME.fullmatch(name) or name.lower() in _RESERVED_NAMES:
            raise ProviderError(f"provider.headers: `{name}` cannot be set", "Remove it.")
        if not value.isascii() or not value.isprintable():
            message = f"provider.headers: the value of `{name}` contains a line break or a character that is not ASCII"
            raise ProviderError(message, "Check the variable behind it.")
    return expanded


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
