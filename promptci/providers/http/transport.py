"""One POST over the network: what an answer of a model is asked with."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib import parse, request

from promptci.providers.http import api_errors, endpoint
from promptci.providers.http.retry import AttemptFailed, RetryAdvice

MAX_BODY_BYTES = 16 * 2**20
"""Bytes of one answer; more is an attack or a fault."""
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes


class Transport:
    """Connections to one endpoint: no redirects, no retries, no cookies, and bodies of bounded size."""

    def __init__(self, base_url: str, *, key: str | None) -> None:
        """Make it; `key` None sends no Authorization header at all. Nothing is opened before the first call."""
        self._base_url = base_url.rstrip("/")
        self._address = endpoint.host_name(base_url)
        self._key = key
        self._session: Any = None

    def open(self) -> None:
        """Make ready, once: importing the package takes longer than many an answer."""
        if self._session is None:
            self._session = _session(self._base_url, self._key)

    async def post(self, path: str, body: bytes) -> HttpResponse:
        """Send JSON and give the answer; raises AttemptFailed where none came."""
        import aiohttp  # noqa: PLC0415 - heavy: keeps --help fast

        self.open()
        try:
            async with self._session.post(self._base_url + path, data=body, allow_redirects=False) as response:
                content = await _read(response)
                headers = {name.lower(): text for name, text in response.headers.items()}
                return HttpResponse(status=response.status, headers=headers, content=content)
        except aiohttp.ClientHttpProxyError as error:
            raise api_errors.failure_from_proxy(error.status) from None
        except (aiohttp.ClientError, OSError) as error:
            raise api_errors.failure_from_transport(error, self._address) from None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _session(base_url: str, key: str | None) -> Any:
    import aiohttp  # noqa: PLC0415 - heavy: keeps --help fast

    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    headers |= {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "promptci",
    }
    return aiohttp.ClientSession(
        # How many connections there are is the limiter's business, and how long an answer may take the caller's.
        connector=aiohttp.TCPConnector(limit=0, ssl=_certificates()),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        headers=headers,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        # Not `trust_env`: that would also send passwords of ~/.netrc.
        proxy=_proxy(base_url),
    )


def _proxy(base_url: str) -> str | None:
    """Give the proxy that the environment names for this address; none is used within the machine."""
    parts = parse.urlsplit(base_url)
    if endpoint.is_loopback(base_url) or request.proxy_bypass(parts.hostname or ""):
        return None
    proxies = request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return None if not found else found if "://" in found else f"http://{found}"


def _certificates() -> ssl.SSLContext:
    """Trust what the system trusts (or SSL_CERT_FILE says), and Mozilla's list where the system has none."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        import certifi  # noqa: PLC0415 - hardly ever needed

        context.load_verify_locations(certifi.where())
    return context


async def _read(response: Any) -> bytes:
    """Read the body up to the limit; a compressed one, which nobody asked for, could unpack to any size."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() not in {"identity", ""}:
        failed = api_errors.malformed_failure(f"the answer is compressed ({encoding}) though that was not asked for")
        raise AttemptFailed(failed.error, advice=RetryAdvice.NEVER)
    length = response.content_length
    if length is not None and length <= MAX_BODY_BYTES:
        return bytes(await response.read())
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise api_errors.malformed_failure(f"the answer is larger than {MAX_BODY_BYTES // 2**20} MiB")
    return bytes(body)
