"""What must hold in the end, seen by boto3 as each account's administrator."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from tests.faults.wishes import TAG, Tenant
from tests.faults.world import AUTOMATION, LEDGER, MACHINE, MANAGEMENT, SEEDED, World, plain

ACCESS_ROLE = "OrganizationAccountAccessRole"
LIFE = "policy/landfall-life"
INSTANCE = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
STORE = "d-0123456789"
ENDED = ("ended", "failed")
BURIED = "deleted"
# How an account comes to a tenant.
LANDED = re.compile(r"the account is |account \d{12} adopted")
# Whom a tenant waits for that needs no run; of a declined deletion nothing looks at the row again.
BY_A_PERSON = ("an operator", "an approver")


@dataclass
class Verdict:
    """What is wrong: with tenants by id, and with the organization as a whole."""

    tenants: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    whole: list[str] = field(default_factory=list)


def judge(world: World, tenants: Iterable[Tenant], strangers: Iterable[str] = ()) -> Verdict:
    """Looks at everything that is there; strangers are accounts that others made."""
    verdict = Verdict()
    named = {tenant.id: tenant for tenant in tenants}
    known = set(named)
    accounts = _accounts(world)
    for account, tenant in accounts.items():
        if tenant not in known and account not in set(strangers):
            verdict.whole.append(f"account {account} is no tenant's (tag: {tenant})")
    running = _running(world)
    all_rows = {tenant: _rows(world, tenant) for tenant in known}
    living = {
        named[tenant].name
        for tenant, rows in all_rows.items()
        if rows.get("TENANT", {}).get("phase") != "Deleted"
    }
    for tenant, rows in all_rows.items():
        wrong = verdict.tenants[tenant]
        own = [account for account, of in accounts.items() if of == tenant]
        row = rows.get("TENANT", {})
        recorded = [row["account"]] if "account" in row else []
        if own != recorded:
            wrong.append(f"its accounts are {own}, the ledger says {row.get('account')}")
        if row.get("phase") == "Deleted":
            reused = named[tenant].name in living
            wrong += [it for one in own for it in _gone(world, named[tenant], one, reused)]
        else:
            wrong += [problem for one in own for problem in _role(world, one)]
            wrong += [problem for one in own for problem in _access(world, named[tenant], one)]
        wrong += _waits(rows, row, running)
        wrong += _history(rows, row)
    verdict.whole += _places(world)
    return verdict


def _accounts(world: World) -> dict[str, str | None]:
    """Every account that Landfall can have made, with the tenant that its tag names."""
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    pages = organizations.get_paginator("list_accounts").paginate()
    ids = [account["Id"] for page in pages for account in page["Accounts"]]
    found = {}
    for account in sorted(set(ids) - SEEDED):
        tags = organizations.list_tags_for_resource(ResourceId=account)["Tags"]
        found[account] = next((tag["Value"] for tag in tags if tag["Key"] == TAG), None)
    return found


def _running(world: World) -> set[str]:
    machines = world.client("stepfunctions", AUTOMATION)
    arn = f"arn:aws:states:eu-central-1:{AUTOMATION}:stateMachine:{MACHINE}"
    pages = machines.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter="RUNNING"
    )
    return {execution["name"] for page in pages for execution in page["executions"]}


def _rows(world: World, tenant: str) -> dict[str, dict[str, Any]]:
    table = world.client("dynamodb", AUTOMATION)
    pages = table.get_paginator("query").paginate(
        TableName=LEDGER,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"TENANT#{tenant}"}},
    )
    items = [item for page in pages for item in page["Items"]]
    return {item["sk"]["S"]: {name: plain(value) for name, value in item.items()} for item in items}


def _role(world: World, account: str) -> list[str]:
    """The access role is bounded and no administrator, by managed or by inline policies."""
    iam = world.client("iam", account, "us-east-1")
    role = iam.get_role(RoleName=ACCESS_ROLE)["Role"]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    wrong = [] if boundary.endswith(LIFE) else [f"the boundary is {boundary or 'not set'}"]
    attached = iam.list_attached_role_policies(RoleName=ACCESS_ROLE)["AttachedPolicies"]
    for policy in attached:
        arn = policy["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        if _administers(document["Document"]):
            wrong.append(f"{arn} makes the access role an administrator")
    if not any(policy["PolicyArn"].endswith(LIFE) for policy in attached):
        wrong.append("the access role has lost the life policy")
    for name in iam.list_role_policies(RoleName=ACCESS_ROLE)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=ACCESS_ROLE, PolicyName=name)["PolicyDocument"]
        if _administers(document):
            wrong.append(f"the inline policy {name} makes the access role an administrator")
    return wrong


def _access(world: World, tenant: Tenant, account: str) -> list[str]:
    """Exactly the people and groups that are wished for may enter, each by their role."""
    sso = world.client("sso-admin", MANAGEMENT)
    store = world.client("identitystore", MANAGEMENT)
    groups = _groups(store)
    own = _group(tenant)
    if own not in groups:
        return [f"there is no group {own}"]
    memberships = store.list_group_memberships(IdentityStoreId=STORE, GroupId=groups[own])
    members = [
        store.describe_user(IdentityStoreId=STORE, UserId=one["MemberId"]["UserId"])["UserName"]
        for one in memberships["GroupMemberships"]
    ]
    users = next(one["users"] for one in tenant.document["spec"]["access"] if "users" in one)
    wrong = [] if sorted(members) == sorted(users) else [f"in group {own} are {members}"]
    wanted = {(groups[own], "ps-0000000000000001"), (groups["auditors"], "ps-0000000000000002")}
    if tenant.landing_zone.startswith("production"):
        wanted.add((groups["auditors"], "ps-0000000000000003"))
    found = _assigned(sso, account)
    return wrong if found == wanted else [*wrong, f"{found} may enter, not {wanted}"]


def _gone(world: World, tenant: Tenant, account: str, reused: bool) -> list[str]:
    """The account is closed, and nothing of ours lets anybody into it."""
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    state = organizations.describe_account(AccountId=account)["Account"]["State"]
    wrong = [] if state == "CLOSED" else [f"its account is {state}"]
    if not reused and _group(tenant) in _groups(world.client("identitystore", MANAGEMENT)):
        wrong.append(f"there still is a group {_group(tenant)}")
    assigned = _assigned(world.client("sso-admin", MANAGEMENT), account)
    return [*wrong, f"{assigned} may still enter"] if assigned else wrong


def _group(tenant: Tenant) -> str:
    return f"landfall-{tenant.name.removesuffix('.aws')}.admin"


def _groups(store: Any) -> dict[str, str]:
    """All groups' ids by their names."""
    return {
        group["DisplayName"]: group["GroupId"]
        for page in store.get_paginator("list_groups").paginate(IdentityStoreId=STORE)
        for group in page["Groups"]
    }


def _assigned(sso: Any, account: str) -> set[tuple[str, str]]:
    """Groups with the permission sets that they are assigned in an account."""
    return {
        (one["PrincipalId"], arn.rsplit("/", 1)[1])
        for arn in sso.list_permission_sets(InstanceArn=INSTANCE)["PermissionSets"]
        for one in sso.list_account_assignments(
            InstanceArn=INSTANCE, AccountId=account, PermissionSetArn=arn
        )["AccountAssignments"]
    }


def _places(world: World) -> list[str]:
    """Nobody keeps a place among those who ask for assignments, but whoever died with it."""
    key = {"pk": {"S": "LIMIT#account-assignments"}, "sk": {"S": "LIMIT"}}
    row = world.client("dynamodb", AUTOMATION).get_item(TableName=LEDGER, Key=key).get("Item", {})
    kept = [float(value["N"]) / 1000 for name, value in row.items() if name.startswith("until")]
    return [f"a place is kept until {until}" for until in kept if until > world.now() + 600]


def _administers(document: Any) -> bool:
    """Whether a policy allows everything, or everything of IAM, everywhere."""
    if isinstance(document, str):
        document = json.loads(unquote(document))
    for statement in _listed(document["Statement"]):
        wide = {"*", "*:*", "iam:*"} & set(_listed(statement.get("Action", [])))
        anywhere = "*" in _listed(statement.get("Resource", []))
        if statement["Effect"] == "Allow" and anywhere and (wide or "NotAction" in statement):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _waits(rows: dict[str, dict[str, Any]], row: dict[str, Any], running: set[str]) -> list[str]:
    """No step waits, and no run is named, without an execution that runs."""
    wrong = []
    execution = row.get("running")
    if execution and execution not in running:
        wrong.append(f"the row names {execution}, which does not run")
    for key, step in rows.items():
        by_a_person = (step.get("awaited") or {}).get("for", "").startswith(BY_A_PERSON)
        waits = "token" in step or (step.get("state") == "waiting" and not by_a_person)
        if key.startswith("STEP#") and waits and execution not in running:
            wrong.append(f"{key} waits for {step.get('awaited')}, but nothing runs")
    return wrong


def _history(rows: dict[str, dict[str, Any]], row: dict[str, Any]) -> list[str]:
    """One entry for each transition: phases join, versions grow, each run begins and ends once.

    A version between two entries is a run that was seen alive: nothing happened to the tenant.
    """
    entries = sorted(
        (entry for key, entry in rows.items() if key.startswith("HISTORY#")),
        key=lambda entry: entry["version"],
    )
    if not entries:
        return ["there is no history"]
    wrong = []
    if entries[0].get("from") is not None or entries[0]["version"] != 1:
        wrong.append("the first entry is not the wish")
    for earlier, later in pairwise(entries):
        if later["from"] != earlier["to"] or later["version"] == earlier["version"]:
            wrong.append(f"entries {earlier['version']} and {later['version']} do not join")
    last = entries[-1]
    if last["to"] != row["phase"] or last["version"] > row["version"]:
        wrong.append(f"the last entry leads to {last['to']}, the row is {row['phase']}")
    for run in range(1, row["run"] + 1):
        events = [entry["event"] for entry in entries if entry["run"] == run]
        began = sum(event == f"run {run} began" for event in events)
        ends = tuple(f"run {run} {word}" for word in ENDED)
        ended = sum(event == BURIED or event.startswith(ends) for event in events)
        over = run < row["run"] or not row.get("running")
        if (began, ended) != (1, 1 if over else 0):
            wrong.append(f"run {run} began {began} and ended {ended} times")
    landed = sum(bool(LANDED.match(entry["event"])) for entry in entries)
    if landed != ("account" in row):
        wrong.append(f"its account landed {landed} times")
    return wrong
