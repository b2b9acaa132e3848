"""Stacks make what they declare, change it, roll back what failed, and refuse what is unknown."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from trial import AUTOMATION, HERE, HOME, SECURITY, Sandbox

NAMED = ["CAPABILITY_NAMED_IAM"]


@pytest.fixture(scope="module")
def stacks(shared: Sandbox) -> Any:
    return shared.client("cloudformation")


def created(stacks: Any, name: str, template: Any, **more: Any) -> dict[str, Any]:
    body = template if isinstance(template, str) else json.dumps(template)
    stacks.create_stack(StackName=name, TemplateBody=textwrap.dedent(body), **more)
    return dict(stacks.describe_stacks(StackName=name)["Stacks"][0])


def updated(stacks: Any, name: str, template: Any, **more: Any) -> dict[str, Any]:
    body = template if isinstance(template, str) else json.dumps(template)
    stacks.update_stack(StackName=name, TemplateBody=textwrap.dedent(body), **more)
    return dict(stacks.describe_stacks(StackName=name)["Stacks"][0])


def message_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Message"])


ROLE = """
    Parameters:
      Duration: {Type: Number, Default: 3600}
      Extra: {Type: String, Default: ""}
    Conditions:
      HasExtra: !Not [!Equals [!Ref Extra, ""]]
    Resources:
      Policy:
        Type: AWS::IAM::ManagedPolicy
        Properties:
          ManagedPolicyName: !Sub ${AWS::StackName}-policy
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: ACTION, Resource: "*"}]
      Role:
        Type: AWS::IAM::Role
        Properties:
          RoleName: !Sub ${AWS::StackName}-role
          MaxSessionDuration: !Ref Duration
          PermissionsBoundary: !Ref Policy
          AssumeRolePolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
                Action: sts:AssumeRole
                Condition: {StringEquals: {"sts:ExternalId": secret}}
          ManagedPolicyArns:
            - !Ref Policy
            - !If [HasExtra, !Ref Extra, !Ref AWS::NoValue]
          Policies:
            - PolicyName: inline
              PolicyDocument:
                Version: "2012-10-17"
                Statement: [{Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*"}]
    Outputs:
      Arn: {Value: !GetAtt Role.Arn, Export: {Name: !Sub "${AWS::StackName}-arn"}}
"""


def test_a_role_is_what_its_template_says_and_follows_its_changes(
    shared: Sandbox, stacks: Any
) -> None:
    template = ROLE.replace("ACTION", "s3:GetObject")
    audit = "arn:aws:iam::aws:policy/SecurityAudit"
    extra = [{"ParameterKey": "Extra", "ParameterValue": audit}]
    stack = created(stacks, "role", template, Capabilities=NAMED, Parameters=extra)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    arn = f"arn:aws:iam::{AUTOMATION}:role/role-role"
    assert stack["Outputs"][0]["OutputValue"] == arn
    facts = shared.get(f"role?arn={arn}")
    actions = [document["Statement"][0]["Action"] for document in facts["identity"]]
    assert actions[:2] == ["s3:ListAllMyBuckets", "s3:GetObject"]
    assert len(actions) == 3
    assert facts["boundary"][0]["Statement"][0]["Action"] == "s3:GetObject"
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    assert facts["trust"]["Statement"][0]["Condition"] == condition
    template = template.replace("s3:GetObject", "s3:PutObject").replace("inline", "other")
    none = [{"ParameterKey": "Extra", "ParameterValue": ""}]
    stack = updated(stacks, "role", template, Capabilities=NAMED, Parameters=none)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    iam = shared.client("iam")
    assert iam.list_role_policies(RoleName="role-role")["PolicyNames"] == ["other"]
    attached = iam.list_attached_role_policies(RoleName="role-role")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["role-policy"]
    facts = shared.get(f"role?arn={arn}")
    assert facts["boundary"][0]["Statement"][0]["Action"] == "s3:PutObject"
    with pytest.raises(ClientError) as same:
        updated(stacks, "role", template, Capabilities=NAMED, Parameters=none)
    assert "No updates are to be performed" in message_of(same)
    stacks.delete_stack(StackName="role")
    assert shared.get(f"role?arn={arn}")["exists"] is False


def test_iam_and_macros_need_their_capabilities(stacks: Any) -> None:
    for granted in ([], ["CAPABILITY_IAM"]):
        with pytest.raises(ClientError) as refused:
            created(
                stacks, "incapable", ROLE.replace("ACTION", "s3:GetObject"), Capabilities=granted
            )
        assert refused.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"
        assert message_of(refused) == "Requires capabilities : [CAPABILITY_NAMED_IAM]"


def test_an_unknown_type_is_refused_by_name(stacks: Any) -> None:
    template = {"Resources": {"X": {"Type": "AWS::Braket::Dream"}}}
    with pytest.raises(ClientError) as refused:
        created(stacks, "unknown", template)
    assert "Unrecognized resource types: [AWS::Braket::Dream]" in message_of(refused)


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ({"Parameters": {"P": {"Type": "String"}}}, {}, "Parameters: [P] must have values"),
        ({}, {"Q": "x"}, "Parameters: [Q] do not exist in the template"),
        (
            {"Parameters": {"P": {"Type": "String", "AllowedPattern": "[0-9]+"}}},
            {"P": "x"},
            "must match [0-9]+",
        ),
        (
            {"Parameters": {"P": {"Type": "String", "AllowedValues": ["a"]}}},
            {"P": "b"},
            "must be one of AllowedValues",
        ),
        ({"Outputs": {"O": {"Value": {"Ref": "Nothing"}}}}, {}, "dependencies [Nothing]"),
    ],
)
def test_templates_and_values_that_cloudformation_refuses_are_refused(
    stacks: Any, template: dict[str, Any], values: dict[str, str], message: str
) -> None:
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, **template}
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    with pytest.raises(ClientError) as refused:
        created(stacks, "refused", template, Parameters=given)
    assert message in message_of(refused)


def test_a_failed_creation_is_rolled_back_and_explained(shared: Sandbox, stacks: Any) -> None:
    template = """
        Resources:
          Fine: {Type: AWS::SQS::Queue, Properties: {QueueName: rolled-back}}
          Bad:
            Type: AWS::Lambda::Permission
            DependsOn: Fine
            Properties:
              {FunctionName: nobody, Action: "lambda:InvokeFunction", Principal: sns.amazonaws.com}
    """
    stack = created(stacks, "failing", template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "[Bad]" in stack["StackStatusReason"]
    assert "QueueUrls" not in shared.client("sqs").list_queues(QueueNamePrefix="rolled-back")
    events = stacks.describe_stack_events(StackName="failing")["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert failed[0]["LogicalResourceId"] == "Bad"
    assert "not found" in failed[0]["ResourceStatusReason"].lower()


def test_a_failed_update_goes_back_to_what_was(shared: Sandbox, stacks: Any) -> None:
    template = """
        Resources:
          Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: steady, VisibilityTimeout: 30}}
    """
    created(stacks, "steady", template)
    bad = """
        Resources:
          Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: steady, VisibilityTimeout: 60}}
          Bad:
            Type: AWS::Lambda::EventInvokeConfig
            DependsOn: Queue
            Properties: {FunctionName: nobody, Qualifier: $LATEST}
    """
    stack = updated(stacks, "steady", bad)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    sqs = shared.client("sqs")
    url = sqs.get_queue_url(QueueName="steady")["QueueUrl"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert shown["Attributes"]["VisibilityTimeout"] == "30"


SERVERLESS = """
    Transform: AWS::Serverless-2016-10-31
    Parameters: {Secret: {Type: String, NoEcho: true, Default: hidden}}
    Globals:
      Function:
        Runtime: provided.al2023
        Handler: bootstrap
        Timeout: 30
        Environment: {Variables: {LANDFALL_TABLE: !Ref Ledger}}
    Resources:
      Ledger:
        Type: AWS::DynamoDB::Table
        Properties:
          BillingMode: PAY_PER_REQUEST
          DeletionProtectionEnabled: true
          AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
          KeySchema: [{AttributeName: pk, KeyType: HASH}]
          PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
          TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      Work:
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: !Sub ${AWS::StackName}-work
          InlineCode: "pass"
          ReservedConcurrentExecutions: 5
          Policies: [DynamoDBCrudPolicy: {TableName: !Ref Ledger}]
          EventInvokeConfig: {MaximumRetryAttempts: 1}
          Events:
            Minute: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
            Hear:
              Type: EventBridgeRule
              Properties: {Pattern: {source: [aws.organizations]}}
            Put:
              Type: HttpApi
              Properties: {ApiId: !Ref Api, Path: "/w/{workspace}", Method: PUT}
      Api:
        Type: AWS::Serverless::HttpApi
        Properties:
          Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}
      Machine:
        Type: AWS::Serverless::StateMachine
        Properties:
          Name: !Sub ${AWS::StackName}-machine
          Definition:
            StartAt: Work
            States:
              Work: {Type: Task, Resource: "${Work}", End: true}
          DefinitionSubstitutions: {Work: !GetAtt Work.Arn}
          Policies: [LambdaInvokePolicy: {FunctionName: !Ref Work}]
      MayPut:
        Type: AWS::Events::EventBusPolicy
        Properties:
          StatementId: management
          Statement:
            Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::111111111111:root"}
            Action: events:PutEvents
            Resource: "arn:aws:events:eu-central-1:123456789012:event-bus/default"
      Broken:
        Type: AWS::CloudWatch::Alarm
        Properties:
          Namespace: AWS/Lambda
          MetricName: Errors
          Dimensions: [{Name: FunctionName, Value: !Ref Work}]
          Statistic: Sum
          Period: 60
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
    Outputs:
      Endpoint: {Value: !GetAtt Api.ApiEndpoint}
"""


def test_a_serverless_template_deploys_and_is_told_to_the_gateway(
    shared: Sandbox, stacks: Any
) -> None:
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    with pytest.raises(ClientError) as refused:
        created(stacks, "app", SERVERLESS, Capabilities=["CAPABILITY_IAM"])
    assert message_of(refused) == "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
    stack = created(stacks, "app", SERVERLESS, Capabilities=capabilities)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack["StackStatusReason"]
    assert stack["Parameters"] == [{"ParameterKey": "Secret", "ParameterValue": "****"}]
    deployed = shared.get("deployment")
    (function,) = deployed["functions"]
    assert function["name"] == "app-work"
    assert function["environment"]["LANDFALL_TABLE"].startswith("app-Ledger")
    assert (function["timeout"], function["reserved_concurrency"]) == (30, 5)
    assert function["event_invoke"]["MaximumRetryAttempts"] == 1
    sources = {one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in statements(function)}
    assert len(sources) == 3
    schedules = [rule["schedule"] for rule in deployed["rules"] if rule["schedule"]]
    assert schedules == ["rate(1 minute)"]
    (route,) = deployed["apis"][0]["routes"]
    assert (route["method"], route["path"], route["auth"]) == ("PUT", "/w/{workspace}", "AWS_IAM")
    assert route["function_arn"].endswith(":function:app-work")
    (bus,) = deployed["buses"]
    assert bus["policy"]["Statement"][0]["Sid"] == "management"
    (machine,) = deployed["state_machines"]
    assert machine["name"] == "app-machine"
    role = shared.get(f"role?arn={machine['role_arn']}")
    assert role["exists"]
    assert shared.get("deployment")["version"] == deployed["version"]
    original = stacks.get_template(StackName="app")["TemplateBody"]
    assert "AWS::Serverless::Function" in str(original)
    processed = stacks.get_template(StackName="app", TemplateStage="Processed")["TemplateBody"]
    assert "AWS::Lambda::Function" in json.dumps(processed)
    shared.functions["app-work"] = lambda event: (200, {}, {"ran": event})
    states = shared.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine["arn"], input='{"a": 1}')
    arn = execution["executionArn"]
    shared.until(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    alarms = shared.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms[0]["AlarmName"].startswith("app-Broken")
    table = function["environment"]["LANDFALL_TABLE"]
    backups = shared.client("dynamodb").describe_continuous_backups(TableName=table)
    status = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert status["PointInTimeRecoveryStatus"] == "ENABLED"
    stacks.delete_stack(StackName="app")
    stack = stacks.describe_stacks(StackName="app")["Stacks"][0]
    assert stack["StackStatus"] == "DELETE_FAILED"
    unprotect = {"TableName": table, "DeletionProtectionEnabled": False}
    shared.client("dynamodb").update_table(**unprotect)
    stacks.delete_stack(StackName="app")
    assert shared.get("deployment")["functions"] == []


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    return list(function["policy"]["Statement"])


def test_a_change_set_makes_and_changes_a_stack(shared: Sandbox, stacks: Any) -> None:
    template = json.dumps(
        {
            "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "cs"}}},
            "Outputs": {"Arn": {"Value": {"Ref": "T"}}},
        }
    )
    request = {"StackName": "cs", "TemplateBody": template}
    stacks.create_change_set(**request, ChangeSetName="c1", ChangeSetType="CREATE")
    shown = stacks.describe_change_set(StackName="cs", ChangeSetName="c1")
    assert shown["Changes"][0]["ResourceChange"]["Action"] == "Add"
    stacks.execute_change_set(StackName="cs", ChangeSetName="c1")
    stack = stacks.describe_stacks(StackName="cs")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"].endswith(":cs")
    request["TemplateBody"] = template.replace('"cs"', '"changed"')
    stacks.create_change_set(**request, ChangeSetName="c2", ChangeSetType="UPDATE")
    stacks.execute_change_set(StackName="cs", ChangeSetName="c2")
    stack = stacks.describe_stacks(StackName="cs")["Stacks"][0]
    assert stack["Outputs"][0]["OutputValue"].endswith(":changed")
    stacks.create_change_set(**request, ChangeSetName="c3", ChangeSetType="UPDATE")
    shown = stacks.describe_change_set(StackName="cs", ChangeSetName="c3")
    assert shown["Status"] == "FAILED"
    assert "didn't contain changes" in shown["StatusReason"]


def command(shared: Sandbox, *words: str) -> str:
    """Runs one of the operators' own tools against the sandbox."""
    shared.client("sts")
    keys = shared.keys[AUTOMATION, "sandbox-operator"]
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{shared.port}",
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_DEFAULT_REGION": HOME,
        "SAM_CLI_TELEMETRY": "0",
    }
    tool = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [str(tool), *words[1:]], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_aws_command_deploys_a_template(shared: Sandbox, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(textwrap.dedent(ROLE.replace("ACTION", "s3:GetObject")))
    words = ("cloudformation", "deploy", "--stack-name", "by-cli")
    file = ("--template-file", str(template), "--capabilities", "CAPABILITY_NAMED_IAM")
    command(shared, "aws", *words, *file)
    iam = shared.client("iam")
    assert iam.get_role(RoleName="by-cli-role")["Role"]["MaxSessionDuration"] == 3600
    command(shared, "aws", *words, *file, "--parameter-overrides", "Duration=7200")
    assert iam.get_role(RoleName="by-cli-role")["Role"]["MaxSessionDuration"] == 7200


def test_sam_deploys_a_serverless_template(shared: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "bootstrap").write_text("#!/bin/sh\n")
    (tmp_path / "machine.asl.yaml").write_text("StartAt: Done\nStates:\n  Done: {Type: Succeed}\n")
    template = """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          Work:
            Type: AWS::Serverless::Function
            Properties:
              {CodeUri: code, Handler: bootstrap, Runtime: provided.al2023, FunctionName: by-sam}
          Machine:
            Type: AWS::Serverless::StateMachine
            Properties: {DefinitionUri: machine.asl.yaml, Name: by-sam}
    """
    path = tmp_path / "template.yaml"
    path.write_text(textwrap.dedent(template))
    options = ("--resolve-s3", "--no-confirm-changeset", "--capabilities", "CAPABILITY_IAM")
    command(shared, "sam", "deploy", "-t", str(path), "--stack-name", "by-sam", *options)
    names = {one["name"] for one in shared.get("deployment")["functions"]}
    assert "by-sam" in names
    machines = shared.client("stepfunctions").list_state_machines()["stateMachines"]
    assert "by-sam" in {one["name"] for one in machines}


def test_the_projects_own_templates_deploy(sandbox: Sandbox) -> None:
    templates = HERE.parents[2] / "infra"
    endpoint = f"http://127.0.0.1:{sandbox.port}"
    words = ["--endpoint", endpoint, "--templates", str(templates)]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(HERE / "deploy.py"), *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    deployed = sandbox.get("deployment")
    assert {"landfall-admit", "landfall-intake"} <= {one["name"] for one in deployed["functions"]}
    (machine,) = deployed["state_machines"]
    assert machine["name"] == "landfall-replicate-tenant"
    assert any(rule["region"] == "us-east-1" for rule in deployed["rules"])
    assert sandbox.get(f"role?arn=arn:aws:iam::{SECURITY}:role/nobody")["exists"] is False
    sets = sandbox.client("cloudformation").list_stack_sets(Status="ACTIVE")["Summaries"]
    assert "landfall-access" in {one["StackSetName"] for one in sets}


PUBLISHING = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Work:
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: published
          InlineCode: "pass"
          Runtime: python3.13
          Handler: index.handler
          AutoPublishAlias: live
          AutoPublishAliasAllProperties: true
          Environment: {Variables: {COLOUR: FIRST}}
    Outputs:
      Version: {Value: !Ref Work.Version}
"""


def test_a_changed_function_publishes_a_version_and_the_old_ones_stay_as_they_were(
    shared: Sandbox, stacks: Any
) -> None:
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    functions, name = shared.client("lambda"), "published"

    def versions() -> list[str]:
        found = functions.list_versions_by_function(FunctionName=name)["Versions"]
        return [one["Version"] for one in found]

    def colour(qualifier: str) -> str:
        found = functions.get_function(FunctionName=name, Qualifier=qualifier)
        return found["Configuration"]["Environment"]["Variables"]["COLOUR"]

    stack = created(stacks, "publishing", PUBLISHING, Capabilities=capabilities)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    assert stack["Outputs"][0]["OutputValue"] == f"{arn}:1"
    for changed in (("FIRST", "SECOND"), ("pass", "pass  # Other code.")):
        stack = updated(
            stacks, "publishing", PUBLISHING.replace(*changed), Capabilities=capabilities
        )
        assert stack["StackStatus"] == "UPDATE_COMPLETE", stack.get("StackStatusReason")
    assert stack["Outputs"][0]["OutputValue"] == f"{arn}:3"
    assert versions() == ["$LATEST", "1", "2", "3"]
    assert [colour(one) for one in ("1", "2", "3", "live")] == ["FIRST", "SECOND", "FIRST", "FIRST"]
    codes = [
        functions.get_function(FunctionName=f"{arn}:{one}")["Configuration"]["CodeSha256"]
        for one in ("1", "2", "3")
    ]
    assert codes[0] == codes[1] != codes[2]
    told = [one for one in shared.get("deployment")["functions"] if one["name"] == name]
    assert [one["version"] for one in told] == [None, "1", "2", "3"]
    assert [one["aliases"] for one in told] == [[], [], [], ["live"]]
    with pytest.raises(ClientError) as used:
        functions.delete_function(FunctionName=name, Qualifier="3")
    assert used.value.response["Error"]["Code"] == "ResourceConflictException"
    functions.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError) as gone:
        functions.get_function(FunctionName=name, Qualifier="1")
    assert gone.value.response["Error"]["Code"] == "ResourceNotFoundException"
    same = functions.publish_version(FunctionName=name)
    assert same["Version"] == "3", "nothing has changed"
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    assert functions.publish_version(FunctionName=name)["Version"] == "4", "no number comes again"
    stacks.delete_stack(StackName="publishing")


SECRET = """
    Parameters:
      Seconds: {Type: Number, Default: 3600}
    Resources:
      Secret:
        Type: AWS::SecretsManager::Secret
        Properties:
          Name: !Sub ${AWS::StackName}-secret
          GenerateSecretString:
            SecretStringTemplate: "{}"
            GenerateStringKey: current
            PasswordLength: 36
            ExcludePunctuation: true
      Role:
        Type: AWS::IAM::Role
        Properties:
          RoleName: !Sub ${AWS::StackName}-role
          MaxSessionDuration: !Ref Seconds
          AssumeRolePolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
                Action: sts:AssumeRole
                Condition:
                  StringEquals:
                    sts:ExternalId:
                      !Sub "{{resolve:secretsmanager:${Secret}:SecretString:current}}"
    Outputs:
      Arn: {Value: !Ref Secret}
"""


def test_a_secret_is_made_once_and_read_by_whoever_refers_to_it_when_it_changes(
    shared: Sandbox, stacks: Any
) -> None:
    stack = created(stacks, "hidden", SECRET, Capabilities=NAMED)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    secrets, iam = shared.client("secretsmanager"), shared.client("iam")
    arn = stack["Outputs"][0]["OutputValue"]
    first = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["current"]
    assert len(first) == 36

    def asked() -> str:
        trust = iam.get_role(RoleName="hidden-role")["Role"]["AssumeRolePolicyDocument"]
        return trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]

    assert asked() == first
    secrets.put_secret_value(SecretId=arn, SecretString='{"current": "second"}')
    with pytest.raises(ClientError) as same:
        updated(stacks, "hidden", SECRET, Capabilities=NAMED)
    assert "No updates are to be performed" in message_of(same)
    assert asked() == first
    longer = [{"ParameterKey": "Seconds", "ParameterValue": "7200"}]
    updated(stacks, "hidden", SECRET, Capabilities=NAMED, Parameters=longer)
    assert asked() == "second"
    stacks.delete_stack(StackName="hidden")


@pytest.mark.parametrize("via", [False, True])
def test_a_sessions_stack_is_made_with_what_the_session_may_through_cloudformation(
    shared: Sandbox, via: bool
) -> None:
    iam, name = shared.client("iam", SECURITY), f"maker-{via}".lower()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": SECURITY}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    document["Statement"] = [everything]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    called = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    document["Statement"] = [{**everything, "Action": "cloudformation:*"}]
    document["Statement"] += [{**everything, "Condition": called}] if via else []
    keys = shared.client("sts", SECURITY).assume_role(
        RoleArn=f"arn:aws:iam::{SECURITY}:role/{name}",
        RoleSessionName="session",
        Policy=json.dumps(document),
    )["Credentials"]
    session = boto3.client(
        "cloudformation",
        region_name=HOME,
        endpoint_url=f"http://127.0.0.1:{shared.port}",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stack = created(session, f"by-{name}", topic)
    assert stack["StackStatus"] == ("CREATE_COMPLETE" if via else "ROLLBACK_COMPLETE")
    if not via:
        events = session.describe_stack_events(StackName=f"by-{name}")["StackEvents"]
        (failed,) = (one for one in events if one["ResourceStatus"] == "CREATE_FAILED")
        assert "is not authorized to perform: sns:CreateTopic" in failed["ResourceStatusReason"]
