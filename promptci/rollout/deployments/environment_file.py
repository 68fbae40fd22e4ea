"""The deployment file of an environment at one revision, with the lines on which its versions stand."""

import posixpath
import re

from promptci.errors import Problem, UsageError
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed, Deployment

FOLDER = "deployments"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def deployment_path(environment: str) -> str:
    """Return the path of an environment's file; raises UsageError for what cannot be a name."""
    if not _NAME.fullmatch(environment):
        raise UsageError(f"`{environment}` cannot be an environment", "Use letters, digits, `.`, `_` and `-`.")
    return f"{FOLDER}/{environment}.yml"


def progress_path(environment: str) -> str:
    """Return the path of the file in which it stands how far each canary has come."""
    return deployment_path(environment).removesuffix(".yml") + ".canary.json"


def list_environments(snapshot: Snapshot) -> list[str]:
    """Return the environments that have a deployment file."""
    names = (posixpath.basename(path).removesuffix(".yml") for path in snapshot.glob(f"{FOLDER}/*.yml"))
    return sorted(name for name in names if _NAME.fullmatch(name))


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentFile:
    """A deployment file that was read."""

    environment: str
    path: str
    data: bytes
    deployment: Deployment

    def find(self, prompt: str) -> Deployed | None:
        """Return what runs of a prompt."""
        return next((deployed for deployed in self.deployment.prompts if deployed.prompt == prompt), None)

    def problem(self, prompt: str, key: str, message: str, hint: str) -> Problem:
        """Return a problem with a key of a prompt, such as `stable`, with its line."""
        document = strict_yaml.load(decode_utf8(self.data, self.path), self.path)
        line = document.line_of(("prompts", prompt, *key.split(".")))
        return Problem(path=self.path, line=line, message=message, hint=hint)


def load_environment(snapshot: Snapshot, environment: str) -> EnvironmentFile:
    """Read the file of an environment.

    Raises
    ------
    UsageError
        Where there is none.
    ConfigError
        With every mistake in it.
    """
    path = deployment_path(environment)
    data = snapshot.read(path)
    if data is None:
        known = list_environments(snapshot)
        hint = f"Environments there: {', '.join(known)}." if known else "Make it with `promptci deploy NAME@VERSION`."
        raise UsageError(f"There is no {path} in {snapshot.label}", hint)
    return EnvironmentFile(environment=environment, path=path, data=data, deployment=deployment.load(data, path))
