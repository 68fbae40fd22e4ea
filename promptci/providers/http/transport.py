"""HTTP POST to one endpoint."""

import ssl
from collections.abc import AsyncIterable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.providers.http import endpoint
from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.proxy import find_proxy, shown_proxy
from promptci.providers.http.retry import AttemptFailed, RetryAdvice

if TYPE_CHECKING:
    import aiohttp
    import certifi
else:
    aiohttp = lazy_import("aiohttp")
    certifi = lazy_import("certifi")

MAX_BODY_BYTES = 16 * 2**20
"""Size of one response; more is an attack or a fault."""
CONNECT_TIMEOUT_S = 10.0
_PLAIN_ENCODINGS = {"", "identity"}


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """A response of any status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes


class Transport:
    """Connections to one endpoint: no redirects, no retries, no cookies, and bodies of bounded size."""

    def __init__(self, base_url: str, *, key: str | None, headers: Mapping[str, str] | None = None) -> None:
        """Prepare a client; nothing is opened before the first call.

        Parameters
        ----------
        key
            None sends no Authorization header at all.
        headers
            Sent with every request.

        Raises
        ------
        ProviderError
            If the environment names a proxy that cannot be used.
        """
        self._base_url, self._query = endpoint.split_query(base_url)
        self._address = endpoint.host_and_port(base_url)
        self._proxy = find_proxy(base_url)
        self._headers = {**create_headers(base_url, key, headers or {}), "Content-Type": "application/json"}
        self._session: Any = None

    def open(self) -> None:
        """Open the client before a call is timed: importing aiohttp takes longer than many responses."""
        if self._session is None:
            self._session = _open_session(self._headers, self._proxy)

    async def post(self, path: str, body: bytes) -> HttpResponse:
        """Send JSON and return the response; raises AttemptFailed if none arrives."""
        self.open()
        url = f"{self._base_url}{path}{self._query}"
        try:
            async with self._session.post(url, data=body, allow_redirects=False) as response:
                content = await _read_response(response)
                headers = {name.lower(): text for name, text in response.headers.items()}
                return HttpResponse(status=response.status, headers=headers, content=content)
        except aiohttp.ClientHttpProxyError as error:
            raise transport_errors.failure_from_proxy(error.status, shown_proxy(self._proxy or "")) from None
        except aiohttp.ClientProxyConnectionError as error:
            proxy = f"the proxy {shown_proxy(self._proxy or '')} (see HTTPS_PROXY)"
            raise transport_errors.failure_from_transport(error, proxy) from None
        except (aiohttp.ClientError, OSError) as error:
            raise transport_errors.failure_from_transport(error, self._address) from None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def create_headers(base_url: str, key: str | None, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of every request to an endpoint: the key as it expects it, and those of promptci.yml."""
    fixed = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "promptci"}
    return {**endpoint.auth_headers(base_url, key), **headers, **fixed}


def _open_session(headers: Mapping[str, str], proxy: str | None) -> Any:

    return aiohttp.ClientSession(
        # The limiter bounds the number of connections, and the caller the time of a call.
        connector=aiohttp.TCPConnector(limit=0, ssl=True if has_system_store() else create_ssl_context()),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        headers=headers,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy,
    )


def create_ssl_context() -> ssl.SSLContext:
    """Trust what the system trusts (or SSL_CERT_FILE says), and Mozilla's list where the system has none."""
    context = ssl.create_default_context()
    if not has_system_store():
        context.load_verify_locations(certifi.where())
    return context


def has_system_store() -> bool:
    """Return whether the system has certificates; aiohttp trusts these by itself, and has read them already."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or paths.capath is not None


async def _read_response(response: Any) -> bytes:
    encoding, length = response.headers.get("Content-Encoding", ""), response.content_length
    if length is not None and length <= MAX_BODY_BYTES and encoding in _PLAIN_ENCODINGS:
        return bytes(await response.read())
    return await read_bounded(response.content.iter_any(), encoding=encoding, max_bytes=MAX_BODY_BYTES)


async def read_bounded(chunks: AsyncIterable[bytes], *, encoding: str, max_bytes: int) -> bytes:
    """Read a body up to the limit; refuse a compressed one, which could unpack to any size. Raises AttemptFailed."""
    if encoding.lower() not in _PLAIN_ENCODINGS:
        failed = api_errors.malformed_failure(f"the response is compressed ({encoding}), which was not asked for")
        raise AttemptFailed(failed.error, advice=RetryAdvice.NEVER)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise api_errors.malformed_failure(f"the response is larger than {max_bytes // 2**20} MiB")
    return bytes(body)
