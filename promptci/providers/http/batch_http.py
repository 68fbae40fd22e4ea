"""Files and batches of one endpoint through the `openai` package, which is imported when the first of them is sent.

Requests carry the headers, proxy and certificates of chat requests, and nothing that the package adds by itself.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib import parse

from promptci.lazy_import import lazy_import
from promptci.providers.http import endpoint, transport
from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.proxy import find_proxy, shown_proxy
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryPolicy, with_retries
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_import("openai")

MAX_FILE_BYTES = 512 * 2**20
"""Size of an output file; 50,000 answers of 2,000 letters have a quarter of that."""
MAX_TRANSFER_S = 300.0
"""One file up or down."""
_RETRY_POLICY = RetryPolicy(max_total_s=2 * MAX_TRANSFER_S)
_SDK_HEADERS = {"host", "accept", "connection", "content-type", "content-length", "transfer-encoding"}
"""Headers of the package that are sent. Others describe this machine, or come from variables such as OPENAI_ORG_ID."""

_Send = Callable[[Any], Awaitable[Any]]


class BatchClient:
    """One endpoint's files and batches."""

    def __init__(
        self, options: ProviderOptions, *, key: str | None, redactor: Redactor, clock: ProviderClock | None = None
    ) -> None:
        """Prepare the client; `options.headers` are sent as they are.

        Raises
        ------
        ProviderError
            If the environment names a proxy that cannot be used.
        """
        self.options = options
        self.redactor = redactor
        self.clock = clock or ProviderClock()
        self.chat_path = "/chat/completions" if endpoint.is_azure(options.base_url) else "/v1/chat/completions"
        """What a batch calls its requests' path."""
        self._address = endpoint.host_and_port(options.base_url)
        self._headers = transport.create_headers(options.base_url, key, options.headers)
        self._proxy = find_proxy(options.base_url)
        self._limiter = Limiter(now=self.clock.now, sleep=self.clock.sleep, uniform=self.clock.uniform)
        self._client: Any = None

    async def upload_file(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file for a batch and return its description. Raises CallError."""
        file = (name, content, "application/jsonl")
        return await self._fetch_json("/files", lambda client: client.files.create(file=file, purpose="batch"))

    async def fetch_file(self, file_id: str) -> dict[str, Any]:
        """Return the description of a file. Raises CallError."""
        return await self._fetch_json("/files", lambda client: client.files.retrieve(file_id))

    async def download_file(self, file_id: str) -> bytes:
        """Return the content of a file. Raises CallError."""
        return await self._fetch_content("/files", lambda client: client.files.content(file_id))

    async def delete_file(self, file_id: str) -> None:
        """Delete a file. Raises CallError."""
        await self._fetch_content("/files", lambda client: client.files.delete(file_id))

    async def list_batches(self, limit: int) -> dict[str, Any]:
        """Return the latest batches. Raises CallError."""
        return await self._fetch_json("/batches", lambda client: client.batches.list(limit=limit))

    async def fetch_batch(self, batch_id: str) -> dict[str, Any]:
        """Return the description of a batch. Raises CallError."""
        return await self._fetch_json("/batches", lambda client: client.batches.retrieve(batch_id))

    async def create_batch_once(self, file_id: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        """Order the answers to a file, without a retry, which could be a second order. Raises AttemptFailed."""

        def send(client: Any) -> Awaitable[Any]:
            options = {"endpoint": self.chat_path, "completion_window": "24h", "metadata": dict(metadata)}
            return client.batches.create(input_file_id=file_id, **options)  # type: ignore[no-any-return]

        return _parse_object(await self._attempt("/batches", send))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _fetch_json(self, path: str, send: _Send) -> dict[str, Any]:
        async def attempt(_: float) -> dict[str, Any]:
            return _parse_object(await self._attempt(path, send))

        return await with_retries(attempt, limiter=self._limiter, policy=_RETRY_POLICY, clock=self.clock)

    async def _fetch_content(self, path: str, send: _Send) -> bytes:
        async def attempt(_: float) -> bytes:
            return await self._attempt(path, send)

        return await with_retries(attempt, limiter=self._limiter, policy=_RETRY_POLICY, clock=self.clock)

    async def _attempt(self, path: str, send: _Send) -> bytes:
        """Send one request and return the body of its response; the package's errors become ours."""
        if self._client is None:
            self._client = _create_client(self.options.base_url, self._headers, self._proxy)
        try:
            async with asyncio.timeout(MAX_TRANSFER_S):
                response = await send(self._client.with_raw_response)
        except (TimeoutError, openai.APITimeoutError):
            raise transport_errors.timeout_failure(MAX_TRANSFER_S) from None
        except openai.APIStatusError as error:
            raise self._failure_from_status(error, path) from None
        except openai.APIConnectionError as error:
            raise self._failure_from_connection(error) from None
        except openai.OpenAIError as error:
            raise api_errors.malformed_failure(self.redactor.redact(str(error))) from None
        return bytes(response.http_response.content)

    def _failure_from_status(self, error: Any, path: str) -> AttemptFailed:
        headers = {name.lower(): text for name, text in error.response.headers.items()}
        text = self.redactor.redact(error.response.content.decode(errors="replace"))
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = text
        return api_errors.failure_from_status(error.status_code, headers, body, self.clock.wall(), path=path)

    def _failure_from_connection(self, error: Exception) -> AttemptFailed:
        causes = {type(cause).__name__: cause for cause in transport_errors.exception_chain(error)}
        if self._proxy is None:
            return transport_errors.failure_from_transport(error, self._address)
        if "ProxyError" in causes:
            status = str(causes["ProxyError"])[:3]  # such as "407 Proxy Authentication Required"
            return transport_errors.failure_from_proxy(int(status) if status.isdecimal() else 502, self._shown_proxy)
        via_proxy = "ConnectError" in causes and not any("SSL" in name for name in causes)
        address = f"the proxy {self._shown_proxy} (see HTTPS_PROXY)" if via_proxy else self._address
        return transport_errors.failure_from_transport(error, address)

    @property
    def _shown_proxy(self) -> str:
        return shown_proxy(self._proxy or "")


def _create_client(base_url: str, headers: Mapping[str, str], proxy: str | None) -> Any:
    """Return the package's client on connections that follow no redirect and read no more than is allowed."""

    class BoundedHttpClient(openai.DefaultAsyncHttpxClient):
        async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            own_headers = request.headers  # the package looks into them again
            kept = {name: value for name, value in own_headers.items() if name in _SDK_HEADERS}
            request.headers = type(own_headers)({**kept, **{name.lower(): value for name, value in headers.items()}})
            response = await super().send(request, stream=True, **options)
            try:
                max_bytes = MAX_FILE_BYTES if request.url.path.endswith("/content") else transport.MAX_BODY_BYTES
                encoding = response.headers.get("content-encoding", "")
                content = await transport.read_bounded(response.aiter_raw(), encoding=encoding, max_bytes=max_bytes)
            finally:
                await response.aclose()
            status, request.headers = response.status_code, own_headers
            return type(response)(status, headers=response.headers, content=content, request=request)

    address, query = endpoint.files_address(base_url)
    return openai.AsyncOpenAI(
        base_url=address,
        api_key="not sent",  # BoundedHttpClient sends the header that this endpoint expects
        default_query=dict(parse.parse_qsl(query.removeprefix("?"))),
        max_retries=0,  # with_retries does it
        http_client=BoundedHttpClient(
            follow_redirects=False,
            proxy=proxy,
            timeout=openai.Timeout(None, connect=transport.CONNECT_TIMEOUT_S),
            trust_env=False,
            verify=transport.create_ssl_context(),
        ),
    )


def _parse_object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise api_errors.malformed_failure("the endpoint's answer is no JSON object")
    return value
