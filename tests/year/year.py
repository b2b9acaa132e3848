"""The year: what people, strangers, faults and lost events do to tenants, week by week."""

import json
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.acceptance.organization import Organization
from tests.acceptance.user import User
from tests.faults import events, kinds, points, verdict, wishes
from tests.faults.verdict import ACCESS_ROLE, INSTANCE, Verdict
from tests.faults.world import AUTOMATION, HOME, LEDGER, MANAGEMENT, World, plain
from tests.year.life import PEOPLE, UNITS, WORKSPACES, Life, landing_zones

DAY = 86_400
# Hours in which whatever is under way has to come to rest.
REST = 12
# Units that strangers move accounts into.
ELSEWHERE = "ou-land-suspende"
# Faults in a week for each ten tenants, and of what a tenant is met by at the most once.
FAULTS = 1
APPROVER = "LandfallApprover"
BY_PEOPLE = ("Rejected", "Blocked", "Defect")
# A role that can't be written any more since the access role gave the right up.
TRUST = re.compile(r"write the trust of (?P<role>\S+): (?P<document>.*)", re.DOTALL)
# A VPC that can't be deleted any more, for the same reason.
VPC = re.compile(r"the empty default VPC of (?P<region>\S+) needs widening")
# A move that Control Tower did not notice.
UNNOTICED = "with Control Tower, or move the account out of it and ask for another run"


class Year:
    """A world, what should be in it, and what has been done to it."""

    def __init__(
        self, seed: int, tenants: int, weeks: int, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.random = random.Random(seed)
        self.seed, self.most, self.weeks, self.tell = seed, tenants, weeks, tell
        self.lives: list[Life] = []
        self.strangers: set[str] = set()
        # Names that tenants have moved away from, and how often they had been used.
        self.left: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.foreign: dict[str, str] = {}
        self.world = World(seed=seed, quiet=True)
        self.golden = [point for point in points.golden() if not point.at_door]

    def __enter__(self) -> "Year":
        return self

    def __exit__(self, *_: object) -> None:
        self.world.end()

    def live(self) -> list[str]:
        """A week after another; then all faults end, people repair, and boto3 judges."""
        world = self.world
        world.insist("PUT", "/platforms/aws", wishes.platform())
        for zone in landing_zones():
            world.insist("PUT", f"/landing-zones/{zone['metadata']['name']}", zone)
        self._approvers()
        for week in range(1, self.weeks + 1):
            self._week()
            here = sum(not life.leaves for life in self.lives)
            self.tell(f"week {week}: {here} tenants, {sum(self.done.values())} acts")
        return self._judged()

    def summary(self) -> str:
        """What has been done."""
        acts = ", ".join(f"{number} {what}" for what, number in sorted(self.done.items()))
        return f"seed {self.seed}: {self.weeks} weeks, {len(self.lives)} tenants: {acts}"

    # A week

    def _week(self) -> None:
        chance = self.random
        named, delivery = chance.choice([("usual", {}), *events.DELIVERIES.items()])
        self.done[f"weeks of {named} events"] += 1
        usual = {"delaySeconds": [5, 25], "duplicate": 0.0, "lose": 0.0, "reorder": False}
        self.world.control("POST", "delivery", {**usual, **delivery})
        for _ in range(max(6, self.most // 8)):
            act = chance.choices(ACTS, WEIGHTS)[0]
            if act(self):
                self.done[act.__name__.replace("_", " ").strip()] += 1
            if chance.random() < 0.2:
                self._fault()
        for _ in range(7):
            self.settle()
            self.world.leap(DAY)
        self.settle()
        self.world.control("DELETE", "faults")

    def settle(self) -> None:
        """Waits until nothing runs or is due."""
        # The minute comes in which start-due and the survey begin.
        self.world.sleep(130)
        rested = self.world.until(self._rests, hours=REST, pause=0.5)
        assert rested, [row for row in self.rows().values() if "running" in row]

    def _rests(self) -> bool:
        now = self.world.now()
        rows = self.rows().values()
        return not any("running" in row or due(row, now) for row in rows)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The tenants' rows, by id."""
        table = self.world.client("dynamodb", AUTOMATION)
        ids = [life.id for life in self.lives]
        found = {}
        for start in range(0, len(ids), 100):
            keys = [
                {"pk": {"S": f"TENANT#{one}"}, "sk": {"S": "TENANT"}}
                for one in ids[start : start + 100]
            ]
            answer = table.batch_get_item(RequestItems={LEDGER: {"Keys": keys, **FIELDS}})
            for item in answer["Responses"][LEDGER]:
                row = {name: plain(value) for name, value in item.items()}
                found[row["id"]] = row
        return found

    def _fault(self) -> None:
        """Something fails once for somebody."""
        if not self.lives:
            return
        point = self.random.choice(self.golden)
        kind = self.random.choice(kinds.fitting(point))
        self.world.fault(**kinds.rule(point, kind, self.random.choice(self.lives).id))
        self.done["faults set"] += 1

    # Acts of people

    def _one(self, *, zone: str | None = None) -> Life | None:
        """A tenant that is there and stays."""
        there = [
            life
            for life in self.lives
            if not life.marked and (zone is None or life.landing_zone == zone)
        ]
        return self.random.choice(there) if there else None

    def wish(self) -> bool:
        """Somebody wishes for an account."""
        if sum(not life.leaves for life in self.lives) >= self.most:
            return False
        zone = self.random.choices(list(UNITS), [5, 4, 1])[0]
        life = Life(self.random.choice(WORKSPACES), f"p{len(self.lives):03}", 1, zone)
        return self._apply(life, born=True)

    def wish_again(self) -> bool:
        """Somebody wishes for an account whose name was another's."""
        if not (free := self._free()):
            return False
        name = self.random.choice(free)
        workspace, project, _ = name.split(".")
        return self._apply(Life(workspace, project, self._uses(name) + 1, "sandbox"), born=True)

    def move(self) -> bool:
        """Somebody brings a tenant to another project, which may have had one before."""
        if not (life := self._one()):
            return False
        fresh = f"{self.random.choice(WORKSPACES)}.m{self.done['move']:03}.aws"
        to = self.random.choice([fresh, *self._free()])
        workspace, project, _ = to.split(".")
        body = {"workspace": workspace, "project": project}
        self.world.insist("POST", f"/operator{life.path}/move", body)
        self.left[life.name] = max(self.left[life.name], life.incarnation)
        life.incarnation = self._uses(to) + 1
        life.workspace, life.project = workspace, project
        return True

    def _uses(self, name: str) -> int:
        """How often a name has been used."""
        known = [one.incarnation for one in self.lives if one.name == name]
        return max([self.left[name], *known])

    def _free(self) -> list[str]:
        """Names that tenants had who are gone or have moved."""
        rows = self.rows()
        gone = {one.name for one in self.lives if rows.get(one.id, {}).get("phase") == "Deleted"}
        there = {one.name for one in self.lives if rows.get(one.id, {}).get("phase") != "Deleted"}
        return sorted((gone | self.left.keys()) - there)

    def tag(self) -> bool:
        """Somebody wishes for other tags."""
        if not (life := self._one()):
            return False
        life.tags = {"costCenter": str(self.random.randrange(1000, 9999))}
        return self._apply(life)

    def let_in(self) -> bool:
        """Somebody wishes that others may enter."""
        if not (life := self._one()):
            return False
        life.users = sorted(self.random.sample(PEOPLE, self.random.randint(1, len(PEOPLE))))
        return self._apply(life)

    def change_landing_zone(self) -> bool:
        """Somebody wishes for another landing zone; none leaves Control Tower."""
        if not (life := self._one()) or life.landing_zone == "production":
            return False
        others = [zone for zone in UNITS if zone != life.landing_zone]
        life.landing_zone = self.random.choices(others, [4, 1])[0]
        return self._apply(life)

    def adopt(self) -> bool:
        """Somebody has made an account by hand, and it is adopted."""
        if sum(not life.leaves for life in self.lives) >= self.most:
            return False
        number = len(self.lives)
        account = Organization(self.world).made_by_hand(f"old-{number}")
        self.strangers.add(account)
        life = Life(self.random.choice(WORKSPACES), f"old{number:03}", 1, "sandbox")
        life.adopted = account
        path = f"/operator/adoptions/aws/{account}"
        self.world.insist("PUT", path, life.document)
        self.strangers.discard(account)
        self.lives.append(life)
        return True

    def delete(self) -> bool:
        """Somebody wishes a tenant away."""
        if not (life := self._one()):
            return False
        self.world.insist("DELETE", life.path)
        life.marked, life.decided = True, life.landing_zone != "workshop"
        return True

    def approve(self) -> bool:
        """Somebody else agrees to a deletion."""
        return self._decide("approve", leaves=True)

    def decline(self) -> bool:
        """Somebody else does not agree to a deletion."""
        return self._decide("decline", leaves=False)

    def _decide(self, route: str, *, leaves: bool) -> bool:
        asking = [life for life in self.lives if life.marked and not life.decided]
        if not asking:
            return False
        life = self.random.choice(asking)
        approver = User.role(self.world, AUTOMATION, APPROVER)
        answer = approver.insist("POST", f"{life.path}/{route}", {})
        assert answer.status < 300, answer
        life.marked = life.decided = leaves
        return True

    def _apply(self, life: Life, *, born: bool = False) -> bool:
        self.world.insist("PUT", life.path, life.document)
        if born:
            self.lives.append(life)
        return True

    # Acts of strangers

    def _account(self) -> str | None:
        life = self._one()
        row = self.rows().get(life.id, {}) if life else {}
        return row.get("account") if row.get("phase") == "Ready" else None

    def move_by_hand(self) -> bool:
        """A stranger moves an account."""
        if not (account := self._account()):
            return False
        self._move_elsewhere(account)
        return True

    def _move_elsewhere(self, account: str) -> None:
        organizations = self.world.client("organizations", MANAGEMENT, "us-east-1")
        (parent,) = organizations.list_parents(ChildId=account)["Parents"]
        with suppress(organizations.exceptions.DuplicateAccountException):
            organizations.move_account(
                AccountId=account, SourceParentId=parent["Id"], DestinationParentId=ELSEWHERE
            )

    def untag_by_hand(self) -> bool:
        """A stranger takes a tag of ours away, and leaves one of their own."""
        if not (account := self._account()):
            return False
        organizations = self.world.client("organizations", MANAGEMENT, "us-east-1")
        organizations.untag_resource(ResourceId=account, TagKeys=["landfall:environment"])
        mine = {"Key": "theirs", "Value": str(self.random.randrange(1000))}
        organizations.tag_resource(ResourceId=account, Tags=[mine])
        self.foreign[account] = mine["Value"]
        return True

    def widen_by_hand(self) -> bool:
        """A stranger makes the access role an administrator again."""
        if not (account := self._account()):
            return False
        self.world.client("iam", account, "us-east-1").attach_role_policy(
            RoleName=ACCESS_ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        )
        return True

    def delete_a_stack_by_hand(self) -> bool:
        """A stranger deletes an account's stack."""
        if not (account := self._account()):
            return False
        stacks = self.world.client("cloudformation", AUTOMATION)
        with suppress(ClientError):
            stacks.delete_stack_instances(
                StackSetName="landfall-access-alarm",
                Accounts=[account],
                Regions=[HOME],
                RetainStacks=False,
                OperationId=str(uuid.UUID(int=self.random.getrandbits(128))),
            )
        return True

    def shut_out_by_hand(self) -> bool:
        """A stranger takes away who may enter."""
        if not (account := self._account()):
            return False
        sso = self.world.client("sso-admin", MANAGEMENT)
        for arn in sso.list_permission_sets(InstanceArn=INSTANCE)["PermissionSets"]:
            for one in sso.list_account_assignments(
                InstanceArn=INSTANCE, AccountId=account, PermissionSetArn=arn
            )["AccountAssignments"]:
                sso.delete_account_assignment(
                    InstanceArn=INSTANCE,
                    TargetId=account,
                    TargetType="AWS_ACCOUNT",
                    PermissionSetArn=arn,
                    PrincipalType=one["PrincipalType"],
                    PrincipalId=one["PrincipalId"],
                )
                return True
        return False

    # The end

    def _judged(self) -> list[str]:
        world = self.world
        world.control("DELETE", "faults")
        usual = {"delaySeconds": [5, 25], "duplicate": 0.0, "lose": 0.0, "reorder": False}
        world.control("POST", "delivery", usual)
        while any(life.marked and not life.decided for life in self.lives):
            self.approve()
        for _ in range(40):
            self.settle()
            if not self._unfinished():
                break
            for row in self._unfinished():
                self._mend(row)
            world.leap(DAY)
        self.settle()
        wrong = [f"{row['name']}: {row['phase']}" for row in self._unfinished()]
        for life in self.lives:
            if not life.leaves:
                self._replicate(life.id)
        self.settle()
        return [*wrong, *self._seen(verdict.judge(world, self.lives, self.strangers))]

    def _mend(self, row: dict[str, Any]) -> None:
        """What a person does whom Landfall asks, by the runbook."""
        waits, failure = (row["waiting"] or {}).get("for", ""), (row["failed"] or {}).get("failure")
        regions = VPC.findall(waits)
        if not regions and (failure is None or failure["name"] not in BY_PEOPLE):
            return
        for region in regions:
            self._delete_default_vpc(row["account"], region)
        told = TRUST.match(failure["systemRemark"]) if failure else None
        if told:
            document, _ = json.JSONDecoder().raw_decode(told["document"])
            self.world.client("iam", row["account"], "us-east-1").update_assume_role_policy(
                RoleName=told["role"], PolicyDocument=json.dumps(document)
            )
            self.done["trust written by hand"] += 1
        if failure and UNNOTICED in failure["systemRemark"]:
            self._move_elsewhere(row["account"])
            self.done["moved out by hand for Control Tower"] += 1
        self._replicate(row["id"])

    def _delete_default_vpc(self, account: str, region: str) -> None:
        network = self.world.client("ec2", account, region)
        default = {"Filters": [{"Name": "is-default", "Values": ["true"]}]}
        for vpc in [one["VpcId"] for one in network.describe_vpcs(**default)["Vpcs"]]:
            within = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
            for subnet in network.describe_subnets(**within)["Subnets"]:
                network.delete_subnet(SubnetId=subnet["SubnetId"])
            attached = {"Filters": [{"Name": "attachment.vpc-id", "Values": [vpc]}]}
            for gateway in network.describe_internet_gateways(**attached)["InternetGateways"]:
                known = {"InternetGatewayId": gateway["InternetGatewayId"]}
                network.detach_internet_gateway(VpcId=vpc, **known)
                network.delete_internet_gateway(**known)
            network.delete_vpc(VpcId=vpc)
            self.done["default VPC deleted by hand"] += 1

    def _replicate(self, tenant: str) -> None:
        life = next(one for one in self.lives if one.id == tenant)
        self.world.insist("POST", f"{life.path}/replications", {})

    def _unfinished(self) -> list[dict[str, Any]]:
        rows = self.rows()
        found = []
        for life in self.lives:
            row = rows.get(life.id, {"id": life.id, "phase": "unknown"})
            wanted = "Deleted" if life.leaves else "Ready"
            if row["phase"] != wanted:
                found.append({"name": life.name, "failed": None, "waiting": None, **row})
        return found

    def _seen(self, seen: Verdict) -> Iterable[str]:
        """What boto3 sees that is not as it should be."""
        yield from seen.whole
        organizations = self.world.client("organizations", MANAGEMENT, "us-east-1")
        rows = self.rows()
        for life in self.lives:
            yield from (f"{life.name}#{life.incarnation}: {one}" for one in seen.tenants[life.id])
            account = rows.get(life.id, {}).get("account")
            if life.leaves or account is None:
                continue
            if life.adopted not in (None, account):
                yield f"{life.name} was adopted with {life.adopted} and has {account}"
            (parent,) = organizations.list_parents(ChildId=account)["Parents"]
            if parent["Id"] != UNITS[life.landing_zone]:
                yield f"{life.name}: account {account} is in {parent['Id']}"
            listed = organizations.list_tags_for_resource(ResourceId=account)["Tags"]
            tags = {tag["Key"]: tag["Value"] for tag in listed}
            if tags.get("theirs") != self.foreign.get(account):
                yield f"{life.name}: a stranger's tag is {tags.get('theirs')}"
            zone = "production" if life.landing_zone == "production" else "sandbox"
            wanted = {
                "costCenter": life.tags.get("costCenter"),
                "environment": zone,
                "workspace": life.workspace,
                "project": life.project,
            }
            ours = {key: tags.get(f"landfall:{key}") for key in wanted}
            if ours != wanted:
                yield f"{life.name}: tags are {ours} instead of {wanted}"

    def _approvers(self) -> None:
        """A role whose sessions may approve."""
        iam = self.world.client("iam", AUTOMATION)
        principal = {"AWS": AUTOMATION}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": trust}
        iam.create_role(RoleName=APPROVER, AssumeRolePolicyDocument=json.dumps(document))
        policy = f"arn:aws:iam::{AUTOMATION}:policy/landfall-approver"
        iam.attach_role_policy(RoleName=APPROVER, PolicyArn=policy)


FIELDS: dict[str, Any] = {
    "ConsistentRead": True,
    "ProjectionExpression": "id, phase, run, running, failed, waiting, account, nextRun",
}


def due(row: dict[str, Any], now: float) -> bool:
    """Whether a tenant's next run should have begun."""
    text = row.get("nextRun")
    return text is not None and moment(text) <= now - 60


def moment(text: str) -> float:
    """A timestamp as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


ACTS: list[Callable[[Year], bool]] = [
    Year.wish,
    Year.wish_again,
    Year.tag,
    Year.let_in,
    Year.change_landing_zone,
    Year.move,
    Year.adopt,
    Year.delete,
    Year.approve,
    Year.decline,
    Year.move_by_hand,
    Year.untag_by_hand,
    Year.widen_by_hand,
    Year.delete_a_stack_by_hand,
    Year.shut_out_by_hand,
]
WEIGHTS = [30, 4, 10, 10, 6, 5, 4, 8, 5, 3, 5, 4, 4, 4, 3]
