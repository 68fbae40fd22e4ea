"""Load promptci.yml: every mistake at once, with its line and the key that was probably meant."""

from typing import TYPE_CHECKING

from promptci.config.model import Config
from promptci.config.plain_config import read_plain_config
from promptci.errors import ConfigError, InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from promptci.config import validate
else:
    validate = lazy_import("promptci.config.validate")


def load_config(data: bytes | None, path: str) -> Config:
    """Return the configuration that a file holds; the defaults for an empty file and for None (no such file).

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    if data is None:
        return Config(present=False)
    try:
        document = strict_yaml.load(decode_utf8(data, path), path)
    except InputError as error:
        raise ConfigError(error.problems) from error
    if document.value is None:
        return Config()
    if not isinstance(document.value, dict):
        message, hint = "the file must be a map of sections", "Write `gate:` and its keys under it."
        raise ConfigError([Problem(path=path, line=1, message=message, hint=hint)])
    plain = read_plain_config(document.value)
    return validate.validate_config(document, path) if plain is None else plain
