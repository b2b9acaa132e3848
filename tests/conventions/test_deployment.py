"""What must hold over functions, states, policies and alarms; a failure says what to add where."""

import re
from collections import Counter

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from . import house


def test_every_function_folder_is_deployed_and_the_reverse() -> None:
    deployed = set(house.functions())
    missing = house.crates() - deployed
    assert not missing, f"add a function to infra/template.yaml for functions/{missing}"
    extra = deployed - house.crates()
    assert not extra, f"infra/template.yaml deploys {extra}, of which functions/ knows nothing"


@pytest.mark.parametrize("crate", sorted(house.crates()))
def test_a_function_has_its_name_policy_log_and_alarm(crate: str) -> None:
    key, properties = house.functions()[crate]
    name = house.camel(crate)
    where = f"{key} in infra/template.yaml"
    assert key == f"{name}Function", f"call it {name}Function: {where}"
    assert properties["FunctionName"] == {"!Sub": f"${{AWS::StackName}}-{crate}"}, where
    assert properties["Policies"][0]["Statement"], f"say what it may do: Policies of {where}"
    logs = house.resources("AWS::Logs::LogGroup")
    assert properties["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"!Ref": f"{name}Log"}}
    assert "RetentionInDays" in logs[f"{name}Log"], f"say how long {name}Log is kept"
    alarm = house.resources("AWS::CloudWatch::Alarm").get(f"{name}Errors")
    assert alarm, f"add an alarm {name}Errors to infra/template.yaml"
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"!Ref": key}}]


@pytest.mark.parametrize("crate", sorted(house.crates() - house.DOORS))
def test_a_step_has_one_state_of_its_name(crate: str) -> None:
    name = house.camel(crate)
    invoking = [
        state
        for state, task in house.tasks().items()
        if task["Parameters"]["FunctionName"] == f"${{{name}Function}}"
    ]
    assert invoking == [name], f"add the state {name} to replicate-tenant.asl.yaml"


def test_the_machine_is_told_all_that_it_asks_for() -> None:
    text = (house.ROOT / "infra/statemachines/replicate-tenant.asl.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)\}", text))
    told = house.resources("AWS::Serverless::StateMachine")["ReplicateTenant"]
    assert asked == set(told["DefinitionSubstitutions"]), "see ReplicateTenant in template.yaml"


@pytest.mark.parametrize("crate", sorted(house.crates() - house.DOORS))
def test_a_run_keeps_to_the_version_of_a_step_that_it_began_with(crate: str) -> None:
    name = f"{house.camel(crate)}Function"
    _, properties = house.functions()[crate]
    assert properties.get("AutoPublishAlias") == "live", f"add AutoPublishAlias: live to {name}"
    machine = house.resources("AWS::Serverless::StateMachine")["ReplicateTenant"]
    assert machine["DefinitionSubstitutions"][name] == {"!Ref": f"{name}.Version"}
    (runs,) = (one for one in machine["Policies"][0]["Statement"] if one["Sid"] == "RunTheSteps")
    assert {"!Sub": f"${{{name}.Arn}}:*"} in runs["Resource"], f"let the machine invoke {name}"
    assert len(runs["Resource"]) == len(house.crates() - house.DOORS)


@pytest.mark.parametrize("crate", sorted(house.crates() - house.DOORS))
def test_a_step_is_configured_by_no_parameter_of_the_stack(crate: str) -> None:
    """SAM publishes a version when the template's text changes, and does not see a new value."""
    shared = house.template()["Globals"]["Function"]
    key, properties = house.functions()[crate]
    assert properties.get("AutoPublishAliasAllProperties") is True, f"say so in {key}"
    versioned = {k: v for k, v in {**shared, **properties}.items() if k != "Policies"}
    # Neither is part of a version, and Lambda publishes no version that is like the last one.
    assert not {"Tags", "ReservedConcurrentExecutions"} & set(versioned)
    # Another processor comes with other code.
    assert versioned.pop("Architectures") == [{"!Ref": "Architecture"}]
    parameters = set(house.template()["Parameters"])
    named = set(re.findall(r"'!(?:Ref|GetAtt)': '(\w+)", str(versioned)))
    assert not named & parameters, f"its value would not reach runs: {named & parameters}"


@pytest.mark.parametrize("crate", sorted(house.DOORS))
def test_a_door_publishes_nothing(crate: str) -> None:
    _, properties = house.functions()[crate]
    assert "AutoPublishAlias" not in properties, "its events would go to the alias: see DESIGN.md"


@pytest.mark.parametrize("state", sorted(house.tasks()))
def test_a_task_has_a_timeout_the_one_retrier_and_a_catch(state: str) -> None:
    task = house.tasks()[state]
    assert task["TimeoutSeconds"] > house.template()["Globals"]["Function"]["Timeout"]
    assert task["Retry"] == house.tasks()["Admit"]["Retry"], f"copy Admit's Retry into {state}"
    caught = [catcher["ErrorEquals"] for catcher in task["Catch"]]
    assert caught == [list(house.FAILURES), ["States.ALL"]], f"copy Admit's Catch into {state}"
    retried = [name for retrier in task["Retry"] for name in retrier["ErrorEquals"]]
    assert sorted(retried) == sorted([*house.AWS_FAILURES, "Throttled", "Transient", "NotReady"])
    assert all(retrier["JitterStrategy"] == "FULL" for retrier in task["Retry"])


@pytest.mark.parametrize("state", sorted(house.hooks()))
def test_a_hook_has_a_timeout_and_hands_every_error_on(state: str) -> None:
    hook = house.hooks()[state]
    assert hook["TimeoutSeconds"]
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "HookFailed"}
    assert hook["Catch"] == [caught], "call-hooks judges what the machine caught"
    retried = {name for retrier in hook.get("Retry", []) for name in retrier["ErrorEquals"]}
    own = {"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"}
    assert not retried & own, "what a hook does itself is not tried again within a run"


@pytest.mark.parametrize("state", sorted(house.waits()))
def test_a_wait_ends_by_a_hint_or_by_time_and_leads_back_to_its_step(state: str) -> None:
    wait = house.waits()[state]
    step = state.removeprefix("Await")
    assert wait["Next"] == step
    assert wait["TimeoutSecondsPath"] == "$.step.answer.seconds"
    assert wait["Catch"][0] == {
        "ErrorEquals": list(house.WAIT_FAILURES),
        "ResultPath": None,
        "Next": step,
    }
    assert wait["Retry"][0]["MaxAttempts"] == 0, "a time-out is the wait's end, not a failure"


@pytest.mark.parametrize("branch", sorted(house.branches()))
def test_a_branch_catches_all_its_errors_and_hands_them_on(branch: str) -> None:
    states = house.branches()[branch]["States"]
    for name, state in states.items():
        assert state["Type"] not in ("Fail", "Succeed"), f"{name} ends more than its branch"
        if state["Type"] in ("Task", "Map", "Parallel"):
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], f"add a Catch to {name}"
        if state.get("End"):
            given = state.get("ResultSelector") or state.get("Parameters") or {}
            told = {key.removesuffix(".$") for key in given}
            assert told == {"failures"}, f"let {name} end with {{failures: […]}}"
            assert "ResultPath" not in state, f"let {name} end with nothing but its failures"


def test_every_error_name_is_in_the_vocabulary() -> None:
    known = {*house.FAILURES, *house.AWS_FAILURES, *house.WAIT_FAILURES, "States.ALL"}
    for name, state in house.states().items():
        for rule in state.get("Retry", []) + state.get("Catch", []):
            assert set(rule["ErrorEquals"]) <= known, f"{name} knows an error of its own"


def test_every_error_and_alarm_is_in_the_runbook() -> None:
    alarms = set(house.resources("AWS::CloudWatch::Alarm"))
    missing = ({*house.FAILURES} | alarms) - house.headings()
    assert not missing, f"add a heading to docs/RUNBOOK.md: {sorted(missing)}"


def test_every_variable_of_the_environment_is_read_by_entry_and_the_reverse() -> None:
    declared = set(house.template()["Globals"]["Function"]["Environment"]["Variables"])
    for _, properties in house.functions().values():
        declared |= set(properties.get("Environment", {}).get("Variables", {}))
    sources = (house.ROOT / "shared/entry/src").rglob("*.rs")
    read = {
        found for path in sources for found in re.findall(r'"(LANDFALL_\w+)"', path.read_text())
    }
    # The sandbox alone sets the clock.
    assert read - {"LANDFALL_CLOCK"} == declared, "infra/template.yaml and shared/entry disagree"


@pytest.mark.parametrize("crate", sorted(house.crates()))
def test_a_function_that_takes_sessions_reads_the_external_id_and_no_other_does(crate: str) -> None:
    key, properties = house.functions()[crate]
    statements = {one["Sid"]: one for one in properties["Policies"][0]["Statement"]}
    secret = {"!Ref": "ExternalId"}
    told = properties.get("Environment", {}).get("Variables", {}).get("LANDFALL_EXTERNAL_ID")
    reads = statements.get("ExternalId", {"Effect": "Allow"})
    if "Sessions" in statements:
        assert told == secret, f"say LANDFALL_EXTERNAL_ID: !Ref ExternalId in {key}"
        assert reads == {
            "Sid": "ExternalId",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": secret,
        }, f"let {key} read the secret, and no other: copy PlaceAccountFunction's ExternalId"
    else:
        assert (told, "ExternalId" in statements) == (None, False), f"{key} takes no sessions"


@pytest.mark.parametrize("crate", sorted(house.crates()))
def test_what_a_function_fails_on_can_be_sent_to_it_again_if_nobody_awaits_its_answer(
    crate: str,
) -> None:
    key, properties = house.functions()[crate]
    kinds = {one["Type"] for one in properties.get("Events", {}).values()}
    destination = properties.get("EventInvokeConfig", {}).get("DestinationConfig", {})
    intake = house.functions()["intake"][1]
    _, listed = intake["Environment"]["Variables"]["LANDFALL_FUNCTIONS"]["!Join"]
    statements = {one["Sid"]: one for one in intake["Policies"][0]["Statement"]}
    arn = {"!GetAtt": f"{key}.Arn"}
    if kinds & {"EventBridgeRule", "Schedule"}:
        queue = {"Type": "SQS", "Destination": {"!GetAtt": "DeadLetters.Arn"}}
        assert destination == {"OnFailure": queue}, f"copy HearEvents' EventInvokeConfig to {key}"
        assert arn in listed, f"name {key} in IntakeFunction's LANDFALL_FUNCTIONS"
        assert arn in statements["RedriveDeadLetters"]["Resource"], f"let intake invoke {key}"
    else:
        assert (destination, arn in listed) == ({}, False), f"{key} is waited for"
    for name, event in properties.get("Events", {}).items():
        if event["Type"] == "EventBridgeRule":
            leaves = event["Properties"].get("DeadLetterConfig")
            assert leaves == {"Arn": {"!GetAtt": "DeadLetters.Arn"}}, f"copy it to {key}'s {name}"


class NoPolicies:
    """What SAM asks for the names of AWS's policies, of which the template has none."""

    def load(self) -> dict[str, str]:
        """None of them."""
        return {}


def test_every_functions_own_policy_has_room_for_its_callers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    template = yaml_parse((house.ROOT / "infra/template.yaml").read_text())
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = "s3://bucket/key"
        if "DefinitionUri" in one.get("Properties", {}):
            one["Properties"]["DefinitionUri"] = "s3://bucket/key"
    written = transform(template, {"AWS::Region": "eu-central-1"}, NoPolicies())
    callers = Counter(
        str(one["Properties"]["FunctionName"])
        for one in written["Resources"].values()
        if one["Type"] == "AWS::Lambda::Permission"
    )
    for function, statements in callers.items():
        assert statements < 40, f"Lambda has room for 20 KB of statements: {function}"


def test_no_template_of_the_automation_account_is_given_a_secret() -> None:
    declared = house.template()["Parameters"]
    assert not [name for name, one in declared.items() if one.get("NoEcho")]


def test_every_arn_is_built_from_the_partition() -> None:
    for path in sorted((house.ROOT / "infra").rglob("*.yaml")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert "arn:aws" not in line, f"{path.name}:{number}: write arn:${{AWS::Partition}}"
