"""Tests of what becomes of events that anybody puts on a bus."""

import json

from conftest import Sandbox


def test_an_event_is_taken_whatever_the_rules_deliver_to(shared: Sandbox) -> None:
    events = shared.client("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": [{"prefix": ""}]}))
    function = "arn:aws:lambda:eu-central-1:123456789012:function:any"
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": function}])
    entry = {"Source": "landfall", "DetailType": "Told", "Detail": "{}"}
    (result,) = events.put_events(Entries=[entry])["Entries"]
    assert result["EventId"]


def test_nobody_speaks_in_the_name_of_aws(shared: Sandbox) -> None:
    own = {"Source": "landfall", "DetailType": "Told", "Detail": "{}"}
    forged = {**own, "Source": "aws.organizations"}
    first, second = shared.client("events").put_events(Entries=[forged, own])["Entries"]
    assert first["ErrorCode"] == "NotAuthorizedForSourceException"
    assert second["EventId"]
