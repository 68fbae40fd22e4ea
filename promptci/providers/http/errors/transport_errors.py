"""Failures below HTTP: no connection, no certificate, no answer in time, a proxy that refuses."""

import re
import socket
import ssl
from collections.abc import Iterator

from promptci.providers.base import CallError
from promptci.providers.http.errors.error_body import shorten
from promptci.providers.http.retry import AttemptFailed, RetryAdvice


def failure_from_transport(error: BaseException, address: str) -> AttemptFailed:
    """Return the failure for a broken or missing connection to `address`, an endpoint or a proxy."""
    causes = list(exception_chain(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return timeout_failure(None)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = shorten(getattr(cause, "verify_message", "") or str(cause), 160)
            error_ = CallError("connection", f"the certificate of {address} is not valid: {reason}", fatal=True)
            return AttemptFailed(error_)
    return AttemptFailed(CallError("connection", _connection_message(causes, address)), advice=RetryAdvice.LATER)


def failure_from_proxy(status: int, proxy: str) -> AttemptFailed:
    """Return the failure for a proxy that refuses to connect."""
    hint = "add user and password to HTTPS_PROXY" if status == 407 else "check HTTPS_PROXY and NO_PROXY"
    message = f"the proxy {proxy} refuses the connection (HTTP {status}): {hint}"
    permanent = status < 500
    advice = RetryAdvice.NEVER if permanent else RetryAdvice.LATER
    return AttemptFailed(CallError("connection", message, fatal=permanent), advice=advice)


def timeout_failure(seconds: float | None) -> AttemptFailed:
    """Return the failure for an attempt that took longer than `seconds`."""
    limit = "in time" if seconds is None else f"within {seconds:.3g} s"
    hint = "raise provider.timeout if the model is that slow"
    error = CallError("timeout", f"no complete response arrived {limit}: {hint}")
    return AttemptFailed(error, advice=RetryAdvice.LATER)


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes; stops at a cycle."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _connection_message(causes: list[BaseException], address: str) -> str:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        name = re.sub(r":\d+$", "", address)  # a port has no part in it
        return f"the name {name} cannot be resolved: check provider.base_url, the proxy settings and the network"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nothing listens at {address}: check that the server runs and that the port is right"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"the TLS handshake with {address} failed: check scheme and port of the address"
    return f"the connection to {address} broke before the response was complete"
