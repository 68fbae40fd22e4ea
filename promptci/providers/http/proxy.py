"""The proxy that the environment names for an address: one answer for chat calls and the Batch API."""

from urllib import parse, request

from promptci.errors import ProviderError
from promptci.providers.http import endpoint

_SUPPORTED_SCHEMES = {"http", "https"}


def find_proxy(base_url: str) -> str | None:
    """Return the proxy's URL for this address, or None; this machine is never reached through a proxy.

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read, in either case. Clients must not read the
    environment themselves (`trust_env`): that would also send passwords from ~/.netrc.

    Raises
    ------
    ProviderError
        If the proxy is not an HTTP proxy.
    """
    parts = parse.urlsplit(base_url)
    if endpoint.is_loopback(base_url) or request.proxy_bypass(parts.hostname or ""):
        return None
    proxies = request.getproxies()
    proxy = (proxies.get(parts.scheme) or proxies.get("all") or "").strip()
    if not proxy:
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        proxy_parts = parse.urlsplit(url)
        is_valid = bool(proxy_parts.hostname) and (proxy_parts.port is None or proxy_parts.port > 0)
    except ValueError:
        proxy_parts, is_valid = parse.urlsplit(""), False
    if not is_valid:
        raise ProviderError("the proxy in the environment is not a web address", "Write it like http://proxy:3128.")
    if proxy_parts.scheme not in _SUPPORTED_SCHEMES:
        message = f"the proxy {shown_proxy(url)} uses {proxy_parts.scheme}, which is not supported"
        raise ProviderError(message, "Set HTTPS_PROXY to an HTTP proxy, or add the endpoint's host to NO_PROXY.")
    return url


def shown_proxy(url: str) -> str:
    """Return scheme, host and port of the proxy, without user and password."""
    parts = parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
