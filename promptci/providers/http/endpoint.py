"""Which addresses may be asked: those to which prompts and a key can be sent without exposing them."""

import ipaddress
import socket
from urllib import parse

from promptci.errors import ProviderError

_METADATA_NAMES = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
_METADATA_ADDRESSES = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def host_name(base_url: str) -> str:
    """Give the host name of an address, in lower case, or an empty text where it has none."""
    return (parse.urlsplit(base_url).hostname or "").rstrip(".")


def is_loopback(base_url: str) -> bool:
    """Tell whether the address is on this machine: 127.0.0.0/8, ::1 or localhost."""
    name = host_name(base_url)
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def check_base_url(base_url: str, *, has_key: bool) -> None:
    """Refuse an address that is no web address, would hand out the machine's own credentials, or be overheard.

    Plain http is for this machine; for a private address or the bare name of a service container it will do as
    long as no key is sent.

    Raises
    ------
    ProviderError
        With what to write instead.
    """
    try:
        parts = parse.urlsplit(base_url)
        name = host_name(base_url)
        _ = parts.port
    except ValueError as error:
        raise _refusal("is not a web address", "Write it like https://api.openai.com/v1") from error
    if parts.scheme not in {"http", "https"} or not name:
        raise _refusal(f"`{_shown(base_url)}` is not a web address", "Write it like https://api.openai.com/v1")
    if parts.username is not None or parts.password is not None:
        raise _refusal("holds a user name or password", "Put the key into the variable that `api_key_env` names")
    if parts.query or parts.fragment:
        raise _refusal("ends in a query or fragment", "Give the address up to and including /v1, without `?` or `#`")
    address = _address(name)
    if name in _METADATA_NAMES or (address is not None and (address.is_link_local or address in _METADATA_ADDRESSES)):
        raise _refusal(f"`{name}` hands out the machine's own credentials", "Give the address of a model endpoint")
    if address is not None and (address.is_unspecified or address.is_multicast):
        raise _refusal(f"`{name}` names no machine", "Use 127.0.0.1 for this one")
    if parts.scheme == "http" and not is_loopback(base_url):
        _check_plain(name, address, has_key=has_key)


def _check_plain(name: str, address: Address | None, *, has_key: bool) -> None:
    near = address.is_private if address is not None else "." not in name
    if not near:
        raise _refusal(f"`http://{name}` would be overheard", "Use https")
    if has_key:
        fix = 'Use https, or set `api_key_env: ""` where the endpoint wants no key'
        raise _refusal(f"`http://{name}` would send the key unencrypted", fix)


def _address(name: str) -> Address | None:
    """Read an IP address in each form that the system's resolver reads (2130706433 and 0x7f.1 are 127.0.0.1)."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name)) if name[:1].isdigit() else None
        except OSError:
            return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _shown(base_url: str) -> str:
    return base_url.rpartition("@")[2][:80]


def _refusal(what: str, fix: str) -> ProviderError:
    return ProviderError(f"provider.base_url: {what}", f"{fix}.")
