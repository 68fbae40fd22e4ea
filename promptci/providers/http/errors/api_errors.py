"""Classify HTTP errors: what happened, whether a retry can help, and whose fault it is.

`tests/data/provider_errors.yml` has one row for each spelling that is known; add a row there before a rule here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from promptci.files import canonical
from promptci.providers.base import CallError
from promptci.providers.http.errors import error_body
from promptci.providers.http.errors.error_body import ErrorDetails, parse_error_body
from promptci.providers.http.retry import AttemptFailed, RetryAdvice, parse_retry_after

MAX_MESSAGE_CHARS = 300
MAX_RETRY_AFTER_S = 120.0
"""An endpoint that asks for a longer pause is not waited for."""
_OVERLOADED = {502, 503, 504, 529}
"""Statuses that mean "not now" by definition, even if the wording never changes."""
_MODEL_NAMES = {"/chat/completions": "the prompt's `model`", "/embeddings": "the name of the embedding model"}
"""What names the model of a request, by path; files and batches have none."""
_REFUSED_STATUSES = {400, 403, 422, 451}


_KEY_REFUSED = "The endpoint does not accept the key: set the variable that provider.api_key_env names to a valid one"
_KEY_FORBIDDEN = "The key is not allowed to do this: check its permissions, its project and its access to the model"


class _Rule(NamedTuple):
    """An error recognized by its wording, whatever the status."""

    kind: str
    words: tuple[str, ...]
    hint: str
    fatal: bool = True
    caused_by_request: bool = False
    statuses: tuple[int, ...] = ()
    """Statuses to which the rule applies; empty for all of 400-499."""


_CONTENT_FILTER = (
    *("content_filter", "content_policy", "moderation", "responsibleaipolicyviolation", "invalid_prompt"),
    *("content management policy", "data_inspection_failed", "flagged as potentially violating", "prohibited_content"),
)
_DAILY = ("perday", "per-day", "per day", "daily limit", "daily quota", "(rpd)", "(tpd)")
_RULES = (
    _Rule(
        "context-length",
        (
            *("context_length", "context_size", "context_window", "string_above_max_length", "request_too_large"),
            *("maximum context length", "context length", "context size", "context window", "too many tokens"),
            *("prompt is too long", "input is too long", "input token count", "request too large", "reduce the length"),
        ),
        "The prompt is too long for the model",
        fatal=False,
        caused_by_request=True,
        statuses=(400, 413, 422, 500),  # Ollama answers 500
    ),
    _Rule(
        "context-length",
        ("request too large", "tokens must be reduced"),
        "The prompt alone exceeds the limit of tokens a minute",
        fatal=False,
        caused_by_request=True,
        statuses=(429,),
    ),
    _Rule(
        "invalid-output",
        ("json_validate_failed", "output_parse_failed", "tool_use_failed", "failed to generate json"),
        "The model's output does not fit the response format or the tools of the prompt",
        fatal=False,
        caused_by_request=True,
        statuses=(400, 422),
    ),
    _Rule(
        "quota",
        (
            *("insufficient_quota", "billing_not_active", "billing_hard_limit", "exceeded_current_quota", "arrearage"),
            *("credit balance is too low", "insufficient balance", "insufficient_balance", "insufficient credits"),
            *("payment required", "spend limit", "spending limit"),
        ),
        "The account's credit or plan is used up: top it up, or use another key",
    ),
    _Rule(
        "quota", _DAILY, "The daily limit is used up: run again tomorrow, or use another key or plan", statuses=(429,)
    ),
    _Rule(
        "auth",
        (
            *("api_key_invalid", "invalid_api_key", "api key not valid", "invalid api key", "incorrect api key"),
            *("authentication_error", "authenticationerror", "account_deactivated", "invalid x-api-key"),
        ),
        _KEY_REFUSED,
    ),
    _Rule(
        "blocked",
        (
            "unsupported_country_region_territory",
            "country, region, or territory not supported",
            "location is not supported",
        ),
        "The provider does not serve the region that this machine is in: use another runner region or endpoint",
    ),
    _Rule(
        "not-found",
        (
            *("model_not_found", "model_not_available", "model_decommissioned", "unknown_model", "modelnotfound"),
            *(
                "unknown model",
                "model not exist",
                "invalid model",
                "not a valid model",
                "does not have access to model",
            ),
            *(
                "deploymentnotfound",
                "model does not exist",
                "does not exist or you do not have access",
                "no such model",
                "model not found",
                "invalid_model",
            ),
        ),
        "Check {model}, and that this key may use it",
    ),
)


def shorten(text: str, longest: int = MAX_MESSAGE_CHARS) -> str:
    """Return the text on one line, short enough for a table."""
    return error_body.shorten(text, longest)


def failure_from_status(
    status: int, headers: Mapping[str, str], body: object, wall: float, *, path: str = "/chat/completions"
) -> AttemptFailed:
    """Return the failure for an HTTP status.

    Parameters
    ----------
    headers
        Names in lower case.
    body
        JSON values, or text where the body is not JSON.
    wall
        Seconds since 1970.
    path
        Path of the request beneath the base URL.
    """
    details = parse_error_body(body)
    message = details.message.rstrip(". ")  # a sentence of ours follows
    quoted = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if 300 <= status < 400:
        hint = "The endpoint redirects elsewhere, which is not followed: set provider.base_url to the final address"
        return _permanent("bad-request", f"{quoted}. {hint}", fatal=True)
    rule = _match_rule(status, details)
    if rule is not None:
        hint = rule.hint.replace("{model}", _model_name(path))
        return _permanent(rule.kind, f"{quoted}. {hint}", fatal=rule.fatal, caused_by_request=rule.caused_by_request)
    if status == 429:
        return _rate_limited(headers, details, quoted, wall)
    if status in {408, 409, 425} or status >= 500:
        return _temporary(status, headers, body, quoted, wall)
    return _client_error(status, details, quoted, path)


def ask_for_key(error: CallError, variable: str) -> CallError:
    """Return the error of a request that was sent without a key; `variable` is the one that holds it, if any does."""
    if error.kind != "auth":
        return error
    missing = (
        f"{variable} is not set, and the endpoint requires a key: export {variable}=…"
        if variable
        else "The endpoint requires a key: write the name of a variable that holds one into provider.api_key_env"
    )
    message = error.message.replace(_KEY_REFUSED, missing).replace(_KEY_FORBIDDEN, missing)
    return CallError("no-key", message, fatal=error.fatal, caused_by_request=error.caused_by_request, sent=error.sent)


def _client_error(status: int, details: ErrorDetails, quoted: str, path: str) -> AttemptFailed:
    if status == 401:
        # Not quoted: endpoints repeat the key in this message.
        return _permanent("auth", f"HTTP 401. {_KEY_REFUSED}", fatal=True)
    if status == 402:
        return _permanent(
            "quota", f"{quoted}. The account's credit is used up: top it up, or use another key", fatal=True
        )
    if status in {403, 451} and not details.is_json:
        hint = "A firewall or proxy refuses the request before it reaches the model: check the network and the address"
        return _permanent("blocked", f"{quoted}. {hint}", fatal=True)
    if status == 403:
        return _permanent("auth", f"{quoted}. {_KEY_FORBIDDEN}", fatal=True)
    if status in {404, 405}:
        model = f"{_model_name(path)}, and " if path in _MODEL_NAMES else ""
        hint = f"Check {model}that provider.base_url ends where {path} follows"
        return _permanent("not-found", f"{quoted}. {hint}", fatal=True)
    if status == 413:
        hint = "The prompt is too long for the model"
        return _permanent("context-length", f"{quoted}. {hint}", caused_by_request=True)
    # A JSON error is the API's judgement of this request; anything else may come from whatever stands in front of it.
    return _permanent("bad-request", quoted, caused_by_request=details.is_json and status in {400, 422})


def _model_name(path: str) -> str:
    return _MODEL_NAMES.get(path, "the prompt's `model`")


def is_content_filter(status: int, body: object) -> bool:
    """Return whether a content filter refused the prompt: a result of the prompt, not an error."""
    return status in _REFUSED_STATUSES and _contains(_CONTENT_FILTER, parse_error_body(body).searchable)


def failure_from_error_object(error: object, wall: float) -> AttemptFailed:
    """Return the failure for an `error` within an HTTP 200."""
    codes = parse_error_body({"error": error}).codes
    number = error.get("code") if isinstance(error, Mapping) else None
    if type(number) is int and 400 <= number < 600:
        return failure_from_status(number, {}, {"error": error}, wall)
    if "rate_limit" in codes or "quota" in codes:
        return failure_from_status(429, {}, {"error": error}, wall)
    return failure_from_status(400 if "invalid" in codes or "context" in codes else 502, {}, {"error": error}, wall)


def malformed_failure(message: str) -> AttemptFailed:
    """Return the failure for a response that is not what the API promises."""
    return AttemptFailed(CallError("malformed", shorten(message)), advice=RetryAdvice.IMMEDIATELY)


def web_page_failure(page: str, *, was_reached: bool) -> AttemptFailed:
    """Return the failure for a web page with status 200; `was_reached`: the endpoint has answered before.

    Where no answer ever came, the address is wrong, and the next call would bring the same page.
    """
    message = (
        f"{parse_error_body(page).message} came in place of an answer: provider.base_url is probably not the address"
        " of the API, which ends in /v1 for most endpoints, or a proxy or login page is in between"
    )
    advice = RetryAdvice.IMMEDIATELY if was_reached else RetryAdvice.NEVER
    return AttemptFailed(CallError("malformed", message, fatal=not was_reached), advice=advice)


def _match_rule(status: int, details: ErrorDetails) -> _Rule | None:
    if details.is_web_page or status < 400:
        return None
    for rule in _RULES:
        applies = status in rule.statuses if rule.statuses else status < 500
        if applies and _contains(rule.words, details.searchable):
            return rule
    return None


def _temporary(status: int, headers: Mapping[str, str], body: object, quoted: str, wall: float) -> AttemptFailed:
    kind = "timeout" if status == 408 else "server"
    retry_after_s = parse_retry_after(headers, wall)
    if message := _describe_long_pause(retry_after_s):
        return _permanent(kind, f"{quoted}. {message}")  # of this call only: others may reach another server
    signature = None if status in _OVERLOADED else f"{status} {canonical.digest(_hashable(body))}"
    error = CallError(kind, quoted)
    return AttemptFailed(error, advice=_advice(headers), retry_after_s=retry_after_s, signature=signature)


def _rate_limited(headers: Mapping[str, str], details: ErrorDetails, quoted: str, wall: float) -> AttemptFailed:
    retry_after_s = parse_retry_after(headers, wall)
    if retry_after_s is None:
        retry_after_s = details.retry_after_s
    if message := _describe_long_pause(retry_after_s):
        return _permanent("rate-limit", f"{quoted}. {message}", fatal=True)
    error = CallError("rate-limit", f"{quoted}. Too many calls: set run.concurrency lower if this persists")
    return AttemptFailed(error, advice=_advice(headers), retry_after_s=retry_after_s, rate_limited=True)


def _describe_long_pause(retry_after_s: float | None) -> str | None:
    if retry_after_s is None or retry_after_s <= MAX_RETRY_AFTER_S:
        return None
    pause = f"the endpoint asks for a pause of {retry_after_s:.0f} s, longer than the {MAX_RETRY_AFTER_S:.0f} s allowed"
    return f"{pause}: run again later"


def _advice(headers: Mapping[str, str]) -> RetryAdvice:
    return RetryAdvice.NEVER if headers.get("x-should-retry") == "false" else RetryAdvice.LATER


def _permanent(kind: str, message: str, *, fatal: bool = False, caused_by_request: bool = False) -> AttemptFailed:
    return AttemptFailed(CallError(kind, message, fatal=fatal, caused_by_request=caused_by_request))


def _hashable(body: object) -> Any:
    return body if isinstance(body, str | dict | list) else str(body)


def _contains(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)
