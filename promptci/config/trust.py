"""Restrict what a configuration may choose: where a key is sent, and which paths are read and written."""

import ipaddress
import posixpath
import re
from urllib.parse import urlsplit

from promptci.providers.options import OPENAI_URL, ProviderOptions

PLATFORM_TOKENS = re.compile(
    r"(GITHUB|GH)_(TOKEN|PAT)|ACTIONS_.*|INPUT_.*TOKEN|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)"
    r"|GOOGLE_APPLICATION_CREDENTIALS|(AZURE|ARM)_CLIENT_SECRET|NPM_TOKEN|NODE_AUTH_TOKEN|TWINE_PASSWORD|SSH_AUTH_SOCK",
    re.IGNORECASE,
)
"""Variables that hold credentials of GitHub, cloud providers and package registries. They are never an API key."""


def find_untrusted_setting(options: ProviderOptions) -> str | None:
    """Return what an unmerged configuration must not set, as text; None if it may be used.

    Allowed are the embedded model, recorded answers, an endpoint on this machine, and the default endpoint with its
    default key.
    """
    if options.kind == "command":
        return "`provider.kind` is command, which runs a program"
    if options.kind in {"local", "recorded"} or is_loopback(options.base_url):
        return None
    if options.base_url.rstrip("/") != OPENAI_URL:
        return f"`provider.base_url` is {options.base_url}"
    default = ProviderOptions()
    if options.api_key_env != default.api_key_env:
        return f"`provider.api_key_env` is {options.api_key_env}"
    return None


def find_path_problem(path: str) -> str | None:
    """Return why a path or glob must not stand in promptci.yml, as a clause; None if it may.

    Whoever clones a repository runs promptci with its configuration, which must not reach the rest of the machine.
    """
    plain = posixpath.normpath(path.replace("\\", "/"))
    if plain.startswith("/") or plain.split("/")[0] == ".." or re.match(r"[A-Za-z]:/", plain):
        return "leads out of the repository"
    if ".git" in plain.lower().split("/"):
        return "leads into git's own folder"
    return "begins or ends with a blank" if path != path.strip() else None


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_platform_token(name: str) -> bool:
    """Return whether a variable holds a credential of a platform, by its name."""
    return PLATFORM_TOKENS.fullmatch(name) is not None


def is_variable_name(name: str) -> bool:
    """Return whether a text may be the name of an environment variable; a key itself seldom is one."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None
