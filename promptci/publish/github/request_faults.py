"""Why a request to GitHub got no answer, in words, and whether asking again may help."""

from promptci.publish.github.api import Unavailable


class Unreachable(Unavailable):
    """No answer came: asking again may help."""


def describe_fault(error: Exception) -> Unavailable:
    """Return why a request was not sent or not answered; asking again helps only where it was sent."""
    from requests import exceptions  # noqa: PLC0415 - heavy: keeps --help fast

    if isinstance(error, exceptions.InvalidSchema):  # of a proxy: addresses are our own or GitHub's
        advice = "Set HTTPS_PROXY to an HTTP proxy, or add GitHub's host to NO_PROXY."
        return Unavailable("GitHub cannot be reached: the proxy of the environment is no HTTP proxy", advice)
    # AssertionError, RuntimeError: PyGithub's ways of refusing an address, as of a move to another host.
    fault = Unreachable if isinstance(error, exceptions.RequestException) else Unavailable
    return fault(f"GitHub cannot be reached: {type(error).__name__}", "Look at githubstatus.com.")
