"""Dead letters: provoked, listed, sent again, thrown away; queue and ledger are the judges."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.user import User
from tests.faults.wishes import Tenant
from tests.faults.world import AUTOMATION, HOME, LEDGER, MANAGEMENT, World

HEARS = "landfall-hear-events"
QUEUE = "landfall-dead-letters"
# What hear-events keeps of an account's creation.
KEEPS = {"step": "hear-events", "action": "dynamodb:PutItem", "kind": "error", "times": 1_000_000}
DENIED = {"code": "AccessDeniedException", "status": 400, "message": "Not you."}
NEVER = "11111111-1111-4111-8111-111111111111"


class Post:
    """A world, its dead letters, and an operator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = User.administrator(world, AUTOMATION)
        self.sqs = world.client("sqs", AUTOMATION)
        self.url = self.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]

    def waiting(self) -> int:
        """How many letters SQS has, in hand or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def letters(self, enough: int = 1) -> list[dict[str, Any]]:
        """The letters as the command lists them, once there are so many."""
        assert self.world.until(lambda: self.waiting() >= enough, hours=2), self.world.said()
        listed = self.operator.landfall("get", "letters", "-o", "json")
        assert listed.returncode == 0, listed.stderr
        return list(json.loads(listed.stdout))

    def hear(self, request: str, account: str | None = None) -> None:
        """Tells the management account's bus of the end of a request for an account."""
        status = {"id": request, "state": "SUCCEEDED", "accountId": account}
        event = {
            "version": "0",
            "id": request,
            "source": "aws.organizations",
            "detail-type": "AWS Service Event via CloudTrail",
            "account": MANAGEMENT,
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "eventSource": "organizations.amazonaws.com",
                "eventName": "CreateAccountResult",
                "userIdentity": {"accountId": MANAGEMENT, "invokedBy": "AWS Internal"},
                "serviceEventDetails": {"createAccountStatus": status},
            },
        }
        told = {"account": MANAGEMENT, "region": "us-east-1", "event": event}
        self.world.control("POST", "events", told)

    def heard(self, request: str) -> bool:
        """Whether the ledger keeps the end of that request."""
        table = self.world.client("dynamodb", AUTOMATION)
        rows = table.query(
            TableName=LEDGER,
            KeyConditionExpression="pk = :kept",
            ExpressionAttributeValues={":kept": {"S": "EVENT#create-account"}},
            ConsistentRead=True,
        )["Items"]
        return any(row["sk"]["S"].endswith(f"#{request}") for row in rows)

    def clear(self) -> None:
        """Empties the queue."""
        while self.waiting():
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                receipt = message["ReceiptHandle"]
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)


@pytest.fixture(scope="module")
def everybody() -> Iterator[Post]:
    """A world with a platform."""
    # Half a minute, the API has: a busy machine needs seconds for what takes AWS one.
    with World(seed=31, speed=200, working_speed=2, quiet=True) as world:
        world.found()
        yield Post(world)


@pytest.fixture
def post(everybody: Post) -> Iterator[Post]:
    """The same with an empty queue."""
    everybody.clear()
    yield everybody
    everybody.world.control("DELETE", "faults")
    everybody.clear()


def test_what_a_function_could_not_handle_is_listed_sent_again_and_gone(post: Post) -> None:
    world, tenant = post.world, Tenant("unheard", "sandbox")
    fault = world.fault(**KEEPS, error=DENIED)
    world.wish(tenant)
    (letter,) = post.letters()
    assert letter["from"] == f"function {HEARS}"
    assert letter["function"] == HEARS
    assert letter["about"] == "CreateAccountResult of aws.organizations"
    assert letter["tenant"] == tenant.name
    assert letter["attempts"] == 3
    assert letter["error"].startswith("Blocked: ")
    assert letter["redrivable"] is True
    record = json.loads(letter["text"][: letter["text"].rindex("}") + 1])
    request = record["requestPayload"]["detail"]["serviceEventDetails"]["createAccountStatus"]
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert letter["account"] == request["accountId"]
    assert not post.heard(request["id"])
    # Looking takes nothing away, and whoever looks next sees the same.
    again = post.letters()
    assert [one["id"] for one in again] == [letter["id"]]
    table = post.operator.landfall("get", "letters")
    assert letter["id"] in table.stdout
    assert tenant.name in table.stdout

    # While the function still fails, the letter comes back as another one.
    sent = post.operator.landfall("redrive", letter["id"])
    assert sent.returncode == 0, sent.stderr
    assert f"letter {letter['id']}: sent to {HEARS} again" in sent.stdout
    (back,) = post.letters()
    assert back["id"] != letter["id"]
    assert back["tenant"] == tenant.name

    world.mend(fault)
    everything = post.operator.landfall("redrive", "--all")
    assert everything.returncode == 0, everything.stdout + everything.stderr
    assert back["id"] in everything.stdout
    assert world.until(lambda: post.heard(request["id"]), hours=0.5)
    assert post.waiting() == 0
    assert post.operator.landfall("redrive", "--all").stdout == "no letters wait\n"


def test_what_a_rule_could_not_deliver_is_listed_with_the_rules_reason(post: Post) -> None:
    world, functions = post.world, post.world.client("lambda", AUTOMATION)
    statements = json.loads(functions.get_policy(FunctionName=HEARS)["Policy"])["Statement"]
    events = [one for one in statements if one["Principal"]["Service"] == "events.amazonaws.com"]
    for one in events:
        functions.remove_permission(FunctionName=HEARS, StatementId=one["Sid"])
    post.hear("car-11111111", "444455556666")
    (letter,) = post.letters()
    for one in events:
        source = next(iter(one["Condition"].values()))
        functions.add_permission(
            FunctionName=HEARS,
            StatementId=one["Sid"],
            Action=one["Action"],
            Principal="events.amazonaws.com",
            SourceArn=next(iter(source.values())),
        )
    assert letter["from"].startswith("rule landfall-HearEventsFunctionOrganizations")
    assert letter["function"] == HEARS
    assert letter["error"].startswith("NO_PERMISSIONS: ")
    assert (letter["attempts"], letter["account"]) == (1, "444455556666")
    assert not post.heard("car-11111111")
    calls = [one for one in world.log() if one["action"] == "sqs:SendMessage"]
    assert calls[-1]["principal"] == "events.amazonaws.com"
    sent = post.operator.landfall("redrive", letter["id"], "-o", "json")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["redriven"][0]["id"] == letter["id"]
    assert world.until(lambda: post.heard("car-11111111"), hours=0.5)
    assert post.waiting() == 0


def test_what_nobody_knows_is_shown_as_it_is_and_can_only_be_discarded(post: Post) -> None:
    ids = [
        post.sqs.send_message(QueueUrl=post.url, MessageBody=body)["MessageId"]
        for body in ("hello", json.dumps({"requestContext": {"functionArn": "a:b"}}))
    ]
    letters = {one["id"]: one for one in post.letters(2)}
    assert set(letters) == set(ids)
    assert letters[ids[0]]["text"] == "hello"
    assert not any(one["redrivable"] for one in letters.values())
    refused = post.operator.landfall("redrive", ids[0])
    assert refused.returncode != 0
    assert "it can't be redriven" in refused.stderr
    everything = post.operator.landfall("redrive", "--all")
    assert everything.returncode != 0
    assert everything.stdout.count(": left. ") == 2
    assert post.waiting() == 2
    for number, one in enumerate(ids, 1):
        gone = post.operator.landfall("discard", one, "--comment", "It was a try.")
        assert gone.returncode == 0, gone.stderr
        assert post.waiting() == len(ids) - number
    lines = post.world._ask("GET", "_landfall/output?function=landfall-intake").decode()
    assert "a dead letter was discarded" in lines
    assert "It was a try." in lines
    assert f"arn:aws:sts::{AUTOMATION}:assumed-role/" in lines


def test_bad_input_is_refused_with_what_is_wrong_and_nothing_changes(post: Post) -> None:
    one = post.sqs.send_message(QueueUrl=post.url, MessageBody="hello")["MessageId"]
    ask = post.operator.ask
    for id_ in ("nonsense", "7", NEVER):
        for verb in ("redrive", "discard"):
            answer = ask("POST", f"/operator/letters/{id_}/{verb}", {"comment": "no"})
            assert answer.status == 404
            assert f"There is no letter `{id_}`" in answer.body["detail"]
    for body, status in (({}, 422), ({"comment": "  "}, 422), ({"comment": "x" * 256}, 422)):
        answer = ask("POST", f"/operator/letters/{one}/discard", body)
        assert answer.status == status
        (problem,) = answer.body["problems"]
        assert problem["field"] == "comment"
        assert problem["remedy"]
    assert ask("POST", f"/operator/letters/{one}/discard", {"why": 1}).status == 400
    assert ask("POST", f"/operator/letters/{one}/redrive").status == 409
    assert ask("DELETE", "/operator/letters").status in (404, 405)
    assert post.operator.landfall("redrive").returncode == 2
    assert post.operator.landfall("get", "letters", NEVER).returncode != 0
    assert [letter["id"] for letter in post.letters()] == [one]


def test_more_letters_than_are_looked_at_are_said_and_sent_in_turns(post: Post) -> None:
    function = f"arn:aws:lambda:{HOME}:{AUTOMATION}:function:landfall-announce:$LATEST"
    record = {
        "requestContext": {"functionArn": function, "approximateInvokeCount": 3},
        "requestPayload": {"source": "aws.events", "detail-type": "Scheduled Event"},
    }
    for start in range(0, 130, 10):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(record)}
            for number in range(start, start + 10)
        ]
        post.sqs.send_message_batch(QueueUrl=post.url, Entries=entries)
    listed = post.operator.landfall("get", "letters", "-o", "json")
    assert len(json.loads(listed.stdout)) == 100
    assert "30 more wait" in listed.stderr
    assert post.waiting() == 130
    # The machine of this test is small.
    functions = post.world.client("lambda", AUTOMATION)
    few = {"FunctionName": "landfall-announce"}
    functions.put_function_concurrency(**few, ReservedConcurrentExecutions=2)
    sent = post.operator.landfall("redrive", "--all", "-o", "json")
    functions.delete_function_concurrency(**few)
    assert sent.returncode == 0, sent.stderr
    assert len({one["id"] for one in json.loads(sent.stdout)["redriven"]}) == 130
    assert post.waiting() == 0


def test_a_letter_whose_sending_is_refused_stays(post: Post) -> None:
    function = f"arn:aws:lambda:{HOME}:{AUTOMATION}:function:landfall-survey"
    record = {"requestContext": {"functionArn": function}, "requestPayload": {}}
    post.sqs.send_message(QueueUrl=post.url, MessageBody=json.dumps(record))
    (letter,) = post.letters()
    fault = post.world.fault(
        step="intake", action="lambda:InvokeFunction", kind="error", error=DENIED, times=10
    )
    refused = post.operator.landfall("redrive", letter["id"])
    assert refused.returncode != 0
    everything = post.operator.landfall("redrive", "--all")
    assert "left. Landfall lacks a permission" in everything.stdout
    assert post.waiting() == 1
    post.world.mend(fault)
    # It dies between sending and taking away: the letter comes back by itself, and is sent twice.
    post.world.fault(step="intake", action="lambda:InvokeFunction", kind="kill")
    assert post.operator.landfall("redrive", letter["id"]).returncode != 0
    assert post.waiting() == 1
    post.world.sleep(40)
    assert [one["id"] for one in post.letters()] == [letter["id"]]
    assert post.operator.landfall("redrive", letter["id"]).returncode == 0
    assert post.waiting() == 0
    sent = [
        call["status"]
        for call in post.world.log()
        if (call["step"], call["action"]) == ("intake", "lambda:InvokeFunction")
        and call["resource"].endswith("landfall-survey")
    ]
    assert sent.count(202) == 1, "the first was accepted and never answered"
    assert sent[-2:] == [0, 202]


def test_the_doctor_says_how_many_wait(post: Post) -> None:
    def check() -> dict[str, str]:
        done = post.operator.landfall("doctor", "-o", "json")
        (found,) = (one for one in json.loads(done.stdout) if one["check"] == "dead letters")
        return dict(found)

    assert (check()["verdict"], check()["found"]) == ("ok", "none wait")
    post.sqs.send_message(QueueUrl=post.url, MessageBody="hello")
    found = check()
    assert found["verdict"] == "advice"
    assert found["found"].startswith("1 wait: ")
    assert "landfall get letters" in found["remedy"]


def test_only_operators_see_letters(post: Post) -> None:
    iam = post.world.client("iam", AUTOMATION)
    trust = {"Effect": "Allow", "Principal": {"AWS": AUTOMATION}, "Action": "sts:AssumeRole"}
    may = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:{HOME}:{AUTOMATION}:*/*/*/workspaces/*",
    }
    document = {"Version": "2012-10-17"}
    iam.create_role(
        RoleName="requester",
        AssumeRolePolicyDocument=json.dumps({**document, "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="requester",
        PolicyName="may",
        PolicyDocument=json.dumps({**document, "Statement": [may]}),
    )
    requester = User.role(post.world, AUTOMATION, "requester")
    for method, path in (
        ("GET", "/operator/letters"),
        ("POST", "/operator/letters/redrive"),
        ("POST", f"/operator/letters/{NEVER}/redrive"),
        ("POST", f"/operator/letters/{NEVER}/discard"),
    ):
        assert requester.ask(method, path).status == 403, path
