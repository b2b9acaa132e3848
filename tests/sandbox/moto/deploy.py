"""Deploys the project's own templates into a sandbox, through AWS's API, as an operator would.

    deploy.py --endpoint URL --templates FOLDER [--stack NAME]

The SAM template goes up as `sam deploy` sends it, with a stand-in archive for each function's code:
what runs is the gateway's to know, and an archive only says which build of it.
"""

import argparse
import hashlib
import io
import json
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

import templates

MANAGEMENT = "111111111111"
AUTOMATION = "123456789012"
LOG_ARCHIVE = "222222222222"
SECURITY = "333333333333"
HOME = "eu-central-1"
EVENTS = "us-east-1"
# Where tenants' accounts are: nobody in them may change what is ours.
GUARDED = ("ou-land-workload", "ou-land-sandbox1")
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class Operator:
    """Administrator of any account of the sandbox."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._keys: dict[str, dict[str, str]] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, account: str, region: str = HOME) -> Any:
        """A client that works in the account."""
        key = (service, account, region)
        if key not in self._clients:
            keys = self._credentials(account)
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=keys["accessKeyId"],
                aws_secret_access_key=keys["secretAccessKey"],
                aws_session_token=keys["sessionToken"],
                config=Config(s3={"addressing_style": "path"}),
            )
        return self._clients[key]

    def programs(self) -> dict[str, str]:
        """The programs that functions run, each with what tells it from another build."""
        try:
            with urllib.request.urlopen(
                f"{self.endpoint}/_landfall/programs", timeout=120
            ) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError:
            # moto itself, in front of which no gateway runs anything.
            return {}

    def _credentials(self, account: str) -> dict[str, str]:
        if account not in self._keys:
            body = json.dumps({"account": account}).encode()
            url = f"{self.endpoint}/_landfall/credentials"
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(url, body, headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    self._keys[account] = json.loads(answer.read())
            except urllib.error.HTTPError:
                self._keys[account] = self._session(account)
        return self._keys[account]

    def _session(self, account: str) -> dict[str, str]:
        """Keys from moto itself, where no gateway gives them out."""
        sts = boto3.client(
            "sts",
            region_name=HOME,
            endpoint_url=self.endpoint,
            aws_access_key_id="gateway",
            aws_secret_access_key="none",
        )
        role = f"arn:aws:iam::{account}:role/sandbox-operator"
        found = sts.assume_role(RoleArn=role, RoleSessionName="operator")["Credentials"]
        return {
            "accessKeyId": found["AccessKeyId"],
            "secretAccessKey": found["SecretAccessKey"],
            "sessionToken": found["SessionToken"],
        }


class Deployment:
    """One deployment of everything the project ships."""

    def __init__(self, operator: Operator, folder: Path, stack: str) -> None:
        self.operator = operator
        self.folder = folder
        self.stack = stack
        self.bucket = f"{stack}-artifacts-{AUTOMATION}"
        self.programs = operator.programs()

    def run(self) -> dict[str, Any]:
        """Deploys all; answers the outputs of the automation account's stack."""
        accounts = self.folder / "accounts"
        self._bucket()
        outputs = self._application(self._hooks())
        self._stack(
            MANAGEMENT,
            HOME,
            f"{self.stack}-management",
            (accounts / "management.yaml").read_text(),
            {
                "AutomationAccountId": AUTOMATION,
                "AutomationRegion": HOME,
                "AutomationStackName": self.stack,
                "ExternalId": self._secret("external-id"),
                "MeteringExternalId": self._secret("metering-external-id"),
            },
        )
        # Organizations' Region, and Control Tower's home Region.
        for region in (EVENTS, HOME):
            self._stack(
                MANAGEMENT,
                region,
                f"{self.stack}-management-events",
                (accounts / "management-events.yaml").read_text(),
                {"AutomationAccountId": AUTOMATION, "AutomationRegion": HOME},
            )
        self._stack_sets()
        self._guardrail((accounts / "guardrail-scp.json").read_text())
        return outputs

    def _guardrail(self, content: str) -> None:
        organizations = self.operator.client("organizations", MANAGEMENT, EVENTS)
        kind, name = "SERVICE_CONTROL_POLICY", f"{self.stack}-guardrail"
        known = {
            one["Name"]: one["Id"] for one in organizations.list_policies(Filter=kind)["Policies"]
        }
        if name in known:
            organizations.update_policy(PolicyId=known[name], Content=content)
        else:
            made = organizations.create_policy(
                Name=name, Description=name, Type=kind, Content=content
            )
            known[name] = made["Policy"]["PolicySummary"]["Id"]
        for unit in GUARDED:
            try:
                organizations.attach_policy(PolicyId=known[name], TargetId=unit)
            except ClientError as error:
                if error.response["Error"]["Code"] != "DuplicatePolicyAttachmentException":
                    raise

    def _secret(self, name: str) -> str:
        secrets = self.operator.client("secretsmanager", AUTOMATION)
        found = secrets.get_secret_value(SecretId=f"{self.stack}-{name}")["SecretString"]
        return str(json.loads(found)["current"])

    def _bucket(self) -> None:
        s3 = self.operator.client("s3", AUTOMATION)
        location = {"LocationConstraint": HOME}
        try:
            s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=location)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise

    def _hooks(self) -> list[str]:
        """Deploys the examples of hooks, each as a stack of its folder's name; their functions."""
        functions = []
        for path in sorted(self.folder.glob("hooks/*/template.yaml")):
            template = templates.read(path.read_text())
            for declared in template["Resources"].values():
                self._package(declared)
            values = {"Architecture": "x86_64"}
            name, body = path.parent.name, json.dumps(template)
            outputs = self._stack(AUTOMATION, HOME, name, body, values)
            functions.append(outputs["FunctionArn"])
        return functions

    def _application(self, hooks: list[str]) -> dict[str, Any]:
        s3 = self.operator.client("s3", AUTOMATION)
        template = templates.read((self.folder / "template.yaml").read_text())
        template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
        for declared in template["Resources"].values():
            self._package(declared)
        body = json.dumps(template)
        s3.put_object(Bucket=self.bucket, Key="template.json", Body=body.encode())
        return self._stack(
            AUTOMATION,
            HOME,
            self.stack,
            None,
            {
                "ManagementAccountId": MANAGEMENT,
                "Architecture": "x86_64",
                "HookFunctionArns": ",".join(hooks),
            },
            f"https://s3.{HOME}.amazonaws.com/{self.bucket}/template.json",
        )

    def _package(self, declared: dict[str, Any]) -> None:
        properties = declared.setdefault("Properties", {})
        if declared["Type"] == "AWS::Serverless::Function" and "InlineCode" not in properties:
            built = declared.pop("Metadata", {}).get("BuildProperties", {})
            properties["CodeUri"] = self._code(built.get("Binary", ""))
        path = properties.get("DefinitionUri")
        if declared["Type"] == "AWS::Serverless::StateMachine" and isinstance(path, str):
            s3 = self.operator.client("s3", AUTOMATION)
            # YAML becomes JSON on the way up, named for its content, as `sam package` does it.
            definition = yaml.safe_load((self.folder / path).read_text())
            body = json.dumps(definition).encode()
            key = f"{Path(path).stem}-{hashlib.sha256(body).hexdigest()[:16]}.json"
            s3.put_object(Bucket=self.bucket, Key=key, Body=body)
            properties["DefinitionUri"] = f"s3://{self.bucket}/{key}"

    def _code(self, program: str) -> str:
        """Uploads what stands for a program, named for its content, as `sam package` does it."""
        body = stand_in(f"{program} {self.programs.get(program, '')}")
        key = f"{hashlib.sha256(body).hexdigest()[:32]}.zip"
        s3 = self.operator.client("s3", AUTOMATION)
        s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def _stack(
        self,
        account: str,
        region: str,
        name: str,
        body: str | None,
        values: dict[str, str],
        url: str | None = None,
    ) -> dict[str, Any]:
        stacks = self.operator.client("cloudformation", account, region)
        source = {"TemplateBody": body} if body else {"TemplateURL": url}
        request = {
            "StackName": name,
            "Parameters": parameters(values),
            "Capabilities": CAPABILITIES,
            **source,
        }
        try:
            stacks.create_stack(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            try:
                stacks.update_stack(**request)
            except ClientError as same:
                if "No updates" not in same.response["Error"]["Message"]:
                    raise
        while (found := stacks.describe_stacks(StackName=name)["Stacks"][0])[
            "StackStatus"
        ].endswith("_IN_PROGRESS"):
            time.sleep(0.05)
        if found["StackStatus"] not in DONE:
            reason = found.get("StackStatusReason")
            raise RuntimeError(f"stack {name}: {found['StackStatus']}: {reason}")
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def _stack_sets(self) -> None:
        stacks = self.operator.client("cloudformation", AUTOMATION)
        known = {
            "SecurityAccountId": SECURITY,
            "Bucket": f"config-{LOG_ARCHIVE}",
            "RecordsGlobalResourcesIn": HOME,
        }
        present = {
            one["StackSetName"] for one in stacks.list_stack_sets(Status="ACTIVE")["Summaries"]
        }
        for path in sorted((self.folder / "stacksets").glob("*.yaml")):
            body = path.read_text()
            declared = templates.read(body).get("Parameters") or {}
            values = {name: value for name, value in known.items() if name in declared}
            if path.stem in present:
                continue
            stacks.create_stack_set(
                StackSetName=path.stem,
                TemplateBody=body,
                Parameters=parameters(values),
                Capabilities=CAPABILITIES[:2],
                PermissionModel="SELF_MANAGED",
                ManagedExecution={"Active": True},
            )


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """The values as the API takes them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def stand_in(build: str) -> bytes:
    """An archive in the place of a function's code, the same for the same build."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap"), build)
    return packed.getvalue()


def main() -> None:
    """Deploys, prints the outputs as JSON; tells why on standard error and ends with 1 if not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--templates", type=Path, required=True)
    parser.add_argument("--stack", default="landfall")
    given = parser.parse_args()
    operator = Operator(given.endpoint)
    try:
        outputs = Deployment(operator, given.templates, given.stack).run()
    except (ClientError, RuntimeError, OSError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(outputs))


if __name__ == "__main__":
    main()
