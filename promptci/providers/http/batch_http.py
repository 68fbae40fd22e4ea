"""The few calls of the Batch API: files up, files down, and JSON in between; nothing is followed, all is bounded."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from promptci.providers.http import endpoint
from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.limiter import Limiter
from promptci.providers.http.proxy import find_proxy
from promptci.providers.http.retry import ProviderClock, RetryPolicy, with_retries
from promptci.redact import Redactor

LARGEST = 512 * 2**20
"""Bytes of an output file; 50,000 answers of 2,000 letters have a quarter of that."""
LONGEST_S = 300.0
"""One file up or down."""
CONNECT_TIMEOUT_S = 10.0


class BatchClient:
    """One endpoint's files and batches."""

    def __init__(
        self, base_url: str, *, key: str | None, redactor: Redactor, clock: ProviderClock | None = None
    ) -> None:
        """Set up; nothing is sent yet."""
        self.clock = clock or ProviderClock()
        self._base_url = base_url.rstrip("/")
        self._address = endpoint.host_name(base_url)
        self._key = key
        self._redactor = redactor
        self._limiter = Limiter(now=self.clock.now, sleep=self.clock.sleep, uniform=self.clock.uniform)
        self._session: Any = None

    async def upload(self, name: str, content: bytes) -> Any:
        """Send a file for a batch; gives what the endpoint says of it. Raises CallError."""
        import aiohttp

        def form() -> Any:  # a form can be sent once only
            fields = aiohttp.FormData()
            fields.add_field("purpose", "batch")
            fields.add_field("file", content, filename=name, content_type="application/jsonl")
            return fields

        return await self._patiently("POST", "/files", lambda: {"data": form()})

    async def get_json(self, path: str) -> Any:
        """GET some JSON. Raises CallError."""
        return await self._patiently("GET", path, dict)

    async def delete(self, path: str) -> None:
        """DELETE something. Raises CallError."""
        await self._patiently("DELETE", path, dict, as_json=False)

    async def download(self, path: str) -> bytes:
        """GET a file's bytes. Raises CallError."""
        found = await self._patiently("GET", path, dict, as_json=False)
        return bytes(found)

    async def post_once(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST some JSON, once: asked again it would be another order. Raises AttemptFailed."""
        return await self._call("POST", path, {"json": dict(body)}, as_json=True)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _patiently(self, verb: str, path: str, sent: Any, *, as_json: bool = True) -> Any:
        async def attempt(left_s: float) -> Any:
            return await self._call(verb, path, sent(), as_json=as_json)

        policy = RetryPolicy(max_total_s=2 * LONGEST_S)
        return await with_retries(attempt, limiter=self._limiter, policy=policy, clock=self.clock)

    async def _call(self, verb: str, path: str, sent: Mapping[str, Any], *, as_json: bool) -> Any:
        import aiohttp

        session = self._session = self._session or self._opened()
        try:
            async with (
                asyncio.timeout(LONGEST_S),
                session.request(verb, self._base_url + path, allow_redirects=False, **sent) as response,
            ):
                content = await _read(response)
                status, headers = response.status, {name.lower(): text for name, text in response.headers.items()}
        except TimeoutError:
            raise transport_errors.timeout_failure(LONGEST_S) from None
        except (aiohttp.ClientError, OSError) as error:
            raise transport_errors.failure_from_transport(error, self._address) from None
        if not 200 <= status < 300:
            said = self._redactor.redact(content[:4096].decode(errors="replace"))
            raise api_errors.failure_from_status(status, headers, _parsed(said) or said, self.clock.wall(), path=path)
        if not as_json:
            return content
        value = _parsed(content.decode(errors="replace"))
        if not isinstance(value, dict):
            raise api_errors.malformed_failure("the endpoint's answer is no JSON object")
        return value

    def _opened(self) -> Any:
        import aiohttp

        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            proxy=find_proxy(self._base_url),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )


async def _read(response: Any) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            raise api_errors.malformed_failure(f"the file is larger than {LARGEST // 2**20} MiB")
    return bytes(body)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
