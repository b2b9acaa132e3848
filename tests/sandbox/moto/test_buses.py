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


def test_a_queue_hears_of_what_it_lets_in(shared: Sandbox) -> None:
    events, sqs = shared.client("events"), shared.client("sqs")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues = {
        "open": sqs.create_queue(QueueName="open", Attributes={"Policy": policy})["QueueUrl"],
        "shut": sqs.create_queue(QueueName="shut")["QueueUrl"],
    }
    events.put_rule(Name="queues", EventPattern=json.dumps({"source": ["queues"]}))
    arn = "arn:aws:sqs:eu-central-1:123456789012"
    targets = [{"Id": name, "Arn": f"{arn}:{name}"} for name in queues]
    events.put_targets(Rule="queues", Targets=targets)
    events.put_events(Entries=[{"Source": "queues", "DetailType": "Told", "Detail": "{}"}])
    heard = {name: sqs.receive_message(QueueUrl=url) for name, url in queues.items()}
    assert {name: len(one.get("Messages", [])) for name, one in heard.items()} == {
        "open": 1,
        "shut": 0,
    }
