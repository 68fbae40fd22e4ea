import pytest

from promptci.providers.model_names import map_model_name


@pytest.mark.parametrize(
    ("model", "names", "host", "sent"),
    [
        ("openai/gpt-4o", {}, "api.openai.com", "gpt-4o"),
        ("openai/gpt-4o", {}, "models.github.ai", "openai/gpt-4o"),
        ("openai/gpt-4o", {"openai/*": "*"}, "gateway.example", "gpt-4o"),
        ("gpt-4o", {"*": "azure/*"}, "gateway.example", "azure/gpt-4o"),
        ("gpt-4o", {"gpt-4o": "prod-deployment", "*": "no"}, "x", "prod-deployment"),
        ("a/b", {"openai/*": "*"}, "x", "a/b"),
    ],
)
def test_a_model_is_called_by_the_name_that_the_endpoint_knows(
    model: str, names: dict[str, str], host: str, sent: str
) -> None:
    assert map_model_name(model, names, host) == sent
