"""The template is transformed as SAM's own translator does it."""

import copy

import pytest

import templates
from trial import HERE

TEMPLATE = HERE.parents[2] / "infra/template.yaml"


def test_nothing_gets_lost_where_an_apis_document_is_not_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from samtranslator.open_api import open_api

    template = templates.read(TEMPLATE.read_text())
    for one in template["Resources"].values():
        code = {"AWS::Serverless::Function": "Code", "AWS::Serverless::StateMachine": "Definition"}
        if (kind := code.get(one["Type"])) and "InlineCode" not in one["Properties"]:
            one["Properties"][f"{kind}Uri"] = "s3://artifacts/packaged"
    given = {"ManagementAccountId": "111111111111"}
    templates.translator()
    ours = templates._serverless(template, given)
    monkeypatch.setattr(open_api, "_deepcopy", copy.deepcopy)
    assert ours == templates._serverless(template, given)
    (api,) = [one for one in ours["Resources"].values() if one["Type"] == "AWS::ApiGatewayV2::Api"]
    assert len(api["Properties"]["Body"]["paths"]) > 20
