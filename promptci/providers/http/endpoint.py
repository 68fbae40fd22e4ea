"""Which addresses may receive prompts and a key without exposing them, and how they are addressed."""

import ipaddress
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib import parse

from promptci.errors import ProviderError
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import socket
else:
    socket = lazy_import("socket")

_METADATA_NAMES = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
_METADATA_ADDRESSES = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
_DEPLOYMENT = re.compile(r"(?<=/openai)/deployments/[^/]+$")

ADDRESS_HINT = "Write it like https://api.openai.com/v1"
CALLS = ("/chat/completions", "/completions", "/embeddings", "/responses")
"""Paths of single calls, the longer ones first, which documentation shows as the whole address."""
MAX_LABEL = 63
"""Characters between two dots of a host's name."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressProblem(NamedTuple):
    """Why an address cannot be used."""

    message: str
    hint: str
    """What to write instead."""


def host_name(base_url: str) -> str:
    """Return the host name of an address in lower case, empty if it has none."""
    return (parse.urlsplit(base_url).hostname or "").rstrip(".")


def host_and_port(base_url: str) -> str:
    """Return the host name with the port that is connected to: `127.0.0.1:8000`, `api.openai.com:443`."""
    parts = parse.urlsplit(base_url)
    name = host_name(base_url)
    return f"{f'[{name}]' if ':' in name else name}:{parts.port or (80 if parts.scheme == 'http' else 443)}"


def is_loopback(base_url: str) -> bool:
    """Return whether the address is on this machine: 127.0.0.0/8, ::1 or localhost."""
    name = host_name(base_url)
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def check_base_url(base_url: str, *, has_key: bool) -> None:
    """Raise for an address that is invalid, serves the machine's own credentials, or could be overheard.

    Plain http is for this machine. Without a key it is also accepted for a private address or the bare name of a
    service container.

    Raises
    ------
    ProviderError
        With what to write instead.
    """
    problem = find_address_problem(base_url)
    if problem is None and has_key and parse.urlsplit(base_url).scheme == "http" and not is_loopback(base_url):
        hint = 'Use https, or set `api_key_env: ""` if the endpoint needs no key'
        problem = AddressProblem(f"`http://{host_name(base_url)}` would send the key unencrypted", hint)
    if problem is not None:
        raise ProviderError(f"provider.base_url: {problem.message}", f"{problem.hint}.")


def find_address_problem(base_url: str) -> AddressProblem | None:
    """Return why an address cannot be that of an endpoint, whatever the environment holds; None if it can."""
    try:
        parts = parse.urlsplit(base_url)
        name = host_name(base_url)
        _ = parts.port
    except ValueError:
        return AddressProblem("the address is not a web address", ADDRESS_HINT)
    shown = _strip_user_info(base_url)
    if any(character.isspace() for character in base_url):
        return AddressProblem(f"`{shown}` has a blank in it", ADDRESS_HINT)
    if parts.scheme not in {"http", "https"} or not name:
        return AddressProblem(f"`{shown}` is not a web address", ADDRESS_HINT)
    if parts.username is not None or parts.password is not None:
        hint = "Put the key into the variable that `api_key_env` names"
        return AddressProblem("the address holds a user name or password", hint)
    if not _is_host(name):
        return AddressProblem(f"`{name[:80]}` is not the name of a host", ADDRESS_HINT)
    if parts.fragment or any(name != "api-version" for name, _ in parse.parse_qsl(parts.query, keep_blank_values=True)):
        hint = "Give the address up to and including /v1, without `?` or `#`; only Azure's `?api-version=` is accepted"
        return AddressProblem("the address ends in a query or fragment", hint)
    if call := next((path for path in CALLS if parts.path.rstrip("/").endswith(path)), None):
        hint = f"Leave out {call}, which is added to the address for each request"
        return AddressProblem(f"the address ends in {call}", hint)
    return _find_host_problem(name, is_plain=parts.scheme == "http" and not is_loopback(base_url))


def _is_host(name: str) -> bool:
    """Return whether a name can be that of a host: an address, or labels of letters, digits, `-` and `_`."""
    if ":" in name:
        return _address(name.partition("%")[0]) is not None
    labels = name.split(".")
    return all(0 < len(label) <= MAX_LABEL and re.fullmatch(r"[\w-]+", label) for label in labels)


def _find_host_problem(name: str, *, is_plain: bool) -> AddressProblem | None:
    """Return why a host must not be asked; `is_plain`: over http, and not on this machine."""
    address = _address(name)
    if name in _METADATA_NAMES or (address is not None and (address.is_link_local or address in _METADATA_ADDRESSES)):
        message = f"`{name}` serves the machine's own credentials"
        return AddressProblem(message, "Give the address of a model endpoint")
    if address is not None and (address.is_unspecified or address.is_multicast):
        return AddressProblem(f"`{name}` is not the address of a machine", "Use 127.0.0.1 for this one")
    is_private = address.is_private if address is not None else "." not in name
    if is_plain and not is_private:
        hint = "Use https: plain http is for this machine and private addresses"
        return AddressProblem(f"`http://{name}` would be overheard", hint)
    return None


def split_query(base_url: str) -> tuple[str, str]:
    """Return the address without its query and a trailing slash, and the query with its `?`: paths go in between."""
    address, mark, query = base_url.partition("?")
    return address.rstrip("/"), mark + query


def files_address(base_url: str) -> tuple[str, str]:
    """Return address and query as `split_query`, for files and batches: they belong to no deployment of Azure."""
    address, query = split_query(base_url)
    return _DEPLOYMENT.sub("", address), query


def auth_headers(base_url: str, key: str | None) -> Mapping[str, str]:
    """Return the header with the key: `api-key` for Azure, whose keys are no bearer tokens, else `Authorization`."""
    if key is None:
        return {}
    return {"api-key": key} if is_azure(base_url) else {"Authorization": f"Bearer {key}"}


def is_azure(base_url: str) -> bool:
    """Return whether an address is one of Azure OpenAI or Foundry."""
    return "?api-version=" in base_url or host_name(base_url).endswith((".openai.azure.com", ".services.ai.azure.com"))


def _address(name: str) -> Address | None:
    """Parse an IP address in every form that the system's resolver accepts (2130706433 and 0x7f.1 are 127.0.0.1)."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name)) if name[:1].isdigit() else None
        except (OSError, ValueError):  # a character that is zero
            return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _strip_user_info(base_url: str) -> str:
    return base_url.rpartition("@")[2][:80]
