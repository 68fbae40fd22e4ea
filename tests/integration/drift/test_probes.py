"""`promptci drift --probe`: 20 requests of one token an hour."""

from fakes.changing_model import ChangingModel
from fakes.openai_server import OpenAIServer
from support.drift_shop import REFERENCE, DriftShop
from support.repositories import GOLDENS, config

from promptci.drift.night import DriftVerdict


def test_a_model_like_its_reference_costs_twenty_tokens(shop: DriftShop, server: OpenAIServer) -> None:
    before = len(server.calls)
    probed = shop.probe()
    assert probed.differing == ()
    assert probed.document.exit_code == 0
    sent = [call.body for call in server.calls[before:]]
    assert len(sent) == 20
    assert {(body["max_tokens"], body["temperature"]) for body in sent} == {(1, 1)}


def test_other_tokens_start_the_goldens(shop: DriftShop, model: ChangingModel) -> None:
    model.letters = "WXYZ"
    probed = shop.probe()
    assert probed.differing == ("order",)
    assert probed.document.prompts[0].findings[0].rule == "drift-probe"
    assert probed.document.exit_code == 1


def test_another_name_in_the_response_starts_the_goldens(shop: DriftShop, model: ChangingModel) -> None:
    model.name = "fake-1-2026-03-02"
    assert shop.probe().differing == ("order",)


def test_without_a_probe_in_the_reference_the_goldens_are_asked(shop: DriftShop) -> None:
    shop.builder.remove(REFERENCE)
    shop.builder.commit("no reference")
    assert shop.probe().differing == ("order",)


def test_an_outage_starts_nothing(shop: DriftShop, model: ChangingModel) -> None:
    model.is_down = True
    probed = shop.probe()
    assert probed.differing == ()
    assert (probed.document.prompts[0].verdict, probed.document.exit_code) == (DriftVerdict.OUTAGE, 4)


def test_a_prompt_that_cannot_be_watched_is_named(shop: DriftShop) -> None:
    shop.builder.remove(GOLDENS)
    shop.builder.commit("no goldens")
    document = shop.probe().document
    assert [(row.prompt, row.verdict) for row in document.prompts] == [("order", DriftVerdict.ERROR)]
    assert document.exit_code == 4


def test_a_missing_key_is_an_error_and_no_outage_of_the_provider(shop: DriftShop) -> None:
    shop.edit({"promptci.yml": config()})
    (row,) = shop.probe().document.prompts
    assert row.verdict is DriftVerdict.ERROR
    assert "`OPENAI_API_KEY` is not set" in row.findings[0].text
