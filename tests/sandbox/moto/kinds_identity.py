"""IAM, Organizations, secrets and Systems Manager parameters as templates declare them."""

import json
from typing import Any

from kinds import Kind, Made, Place, Replaced, document, gone, kind, picked


@kind("AWS::IAM::Role")
class Role(Kind):
    """Its inline policies, attachments, trust and boundary are what the template says."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        iam = place.client("iam")
        name = properties.get("RoleName") or place.name(64)
        request = picked(properties, "Path", "Description", "MaxSessionDuration")
        if properties.get("PermissionsBoundary"):
            request["PermissionsBoundary"] = properties["PermissionsBoundary"]
        if tags := place.tags(properties):
            request["Tags"] = tags
        trust = document(properties["AssumeRolePolicyDocument"])
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **request)["Role"]
        try:
            self._policies(iam, name, {}, properties)
        except Exception:
            self._remove(iam, name)
            raise
        return name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        before = made.properties
        if any(before.get(one) != properties.get(one) for one in ("RoleName", "Path")):
            raise Replaced
        iam, name = place.client("iam"), made.physical_resource_id
        trust = document(properties["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        iam.update_role(
            RoleName=name,
            Description=properties.get("Description", ""),
            MaxSessionDuration=int(properties.get("MaxSessionDuration", 3600)),
        )
        boundary = properties.get("PermissionsBoundary")
        if boundary:
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
        elif before.get("PermissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=name)
        self._policies(iam, name, before, properties)
        keys = {tag["Key"] for tag in place.tags(properties)}
        stale = [tag["Key"] for tag in place.tags(before) if tag["Key"] not in keys]
        if stale:
            iam.untag_role(RoleName=name, TagKeys=stale)
        if keys:
            iam.tag_role(RoleName=name, Tags=place.tags(properties))
        return name, made.attributes

    def _policies(self, iam: Any, name: str, before: Any, properties: Any) -> None:
        wanted = {one["PolicyName"]: one for one in properties.get("Policies", [])}
        for one in before.get("Policies", []):
            if one["PolicyName"] not in wanted:
                policy = one["PolicyName"]
                gone(lambda policy=policy: iam.delete_role_policy(RoleName=name, PolicyName=policy))
        for policy, one in wanted.items():
            text = document(one["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
        attached = properties.get("ManagedPolicyArns", [])
        for arn in before.get("ManagedPolicyArns", []):
            if arn not in attached:
                gone(lambda arn=arn: iam.detach_role_policy(RoleName=name, PolicyArn=arn))
        for arn in attached:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    def delete(self, place: Place, made: Made) -> None:
        iam, name = place.client("iam"), made.physical_resource_id
        for one in made.properties.get("Policies", []):
            policy = one["PolicyName"]
            gone(lambda policy=policy: iam.delete_role_policy(RoleName=name, PolicyName=policy))
        for arn in made.properties.get("ManagedPolicyArns", []):
            gone(lambda arn=arn: iam.detach_role_policy(RoleName=name, PolicyArn=arn))
        gone(lambda: iam.delete_role(RoleName=name))

    def _remove(self, iam: Any, name: str) -> None:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=one["PolicyArn"])
        iam.delete_role(RoleName=name)


@kind("AWS::IAM::ManagedPolicy")
class ManagedPolicy(Kind):
    """A change is a new default version; AWS keeps five."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        iam = place.client("iam")
        request = picked(properties, "Path", "Description")
        if tags := place.tags(properties):
            request["Tags"] = tags
        policy = iam.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or place.name(128),
            PolicyDocument=document(properties["PolicyDocument"]),
            **request,
        )["Policy"]
        arn = policy["Arn"]
        self._attach(iam, arn, {}, properties)
        return arn, {"PolicyArn": arn, "PolicyId": policy["PolicyId"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        before = made.properties
        fixed = ("ManagedPolicyName", "Path", "Description")
        if any(before.get(one) != properties.get(one) for one in fixed):
            raise Replaced
        iam, arn = place.client("iam"), made.physical_resource_id
        if before["PolicyDocument"] != properties["PolicyDocument"]:
            versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
            if len(versions) >= 5:
                spare = [one for one in versions if not one["IsDefaultVersion"]]
                oldest = min(spare, key=lambda one: int(one["VersionId"][1:]))["VersionId"]
                iam.delete_policy_version(PolicyArn=arn, VersionId=oldest)
            iam.create_policy_version(
                PolicyArn=arn,
                PolicyDocument=document(properties["PolicyDocument"]),
                SetAsDefault=True,
            )
        self._attach(iam, arn, before, properties)
        return arn, made.attributes

    def _attach(self, iam: Any, arn: str, before: Any, properties: Any) -> None:
        for word in ("Role", "User", "Group"):
            wanted, present = properties.get(f"{word}s", []), before.get(f"{word}s", [])
            attach = getattr(iam, f"attach_{word.lower()}_policy")
            detach = getattr(iam, f"detach_{word.lower()}_policy")
            for name in present:
                if name not in wanted:
                    request = {f"{word}Name": name, "PolicyArn": arn}
                    gone(lambda detach=detach, request=request: detach(**request))
            for name in wanted:
                attach(**{f"{word}Name": name, "PolicyArn": arn})

    def delete(self, place: Place, made: Made) -> None:
        iam, arn = place.client("iam"), made.physical_resource_id
        self._attach(iam, arn, made.properties, {})
        for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not one["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=one["VersionId"])
        gone(lambda: iam.delete_policy(PolicyArn=arn))


class Inline(Kind):
    """A policy put into roles, users and groups."""

    def holders(self, properties: dict[str, Any]) -> list[tuple[str, str]]:
        """Kind and name of those who hold it."""
        words = ("Role", "User", "Group")
        return [(word, name) for word in words for name in properties.get(f"{word}s", [])]

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        iam = place.client("iam")
        for word, name in self.holders(properties):
            put = getattr(iam, f"put_{word.lower()}_policy")
            put(
                **{f"{word}Name": name},
                PolicyName=properties["PolicyName"],
                PolicyDocument=document(properties.get("PolicyDocument", {})),
            )
        return place.name(128), {"Id": place.name(128)}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        identifier, attributes = self.create(place, properties)
        stale = self.holders(made.properties)
        if made.properties["PolicyName"] == properties["PolicyName"]:
            stale = [one for one in stale if one not in self.holders(properties)]
        self._remove(place, made.properties["PolicyName"], stale)
        return identifier, attributes

    def delete(self, place: Place, made: Made) -> None:
        self._remove(place, made.properties["PolicyName"], self.holders(made.properties))

    def _remove(self, place: Place, policy: str, holders: list[tuple[str, str]]) -> None:
        iam = place.client("iam")
        for word, name in holders:
            remove = getattr(iam, f"delete_{word.lower()}_policy")
            request = {f"{word}Name": name, "PolicyName": policy}
            gone(lambda remove=remove, request=request: remove(**request))


@kind("AWS::IAM::Policy")
class Policy(Inline):
    """An inline policy of several holders."""


@kind("AWS::IAM::RolePolicy")
class RolePolicy(Inline):
    """An inline policy of one role."""

    def holders(self, properties: dict[str, Any]) -> list[tuple[str, str]]:
        return [("Role", properties["RoleName"])]


@kind("AWS::SSM::Parameter")
class Parameter(Kind):
    """A Systems Manager parameter."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return self._put(place, properties.get("Name") or place.name(128), properties)

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties.get("Name") != properties.get("Name"):
            raise Replaced
        return self._put(place, made.physical_resource_id, properties)

    def _put(self, place: Place, name: str, properties: Any) -> tuple[str, dict[str, Any]]:
        request = picked(properties, "Value", "Type", "Description", "Tier", "AllowedPattern")
        place.client("ssm").put_parameter(Name=name, Overwrite=True, **request)
        return name, {"Value": properties["Value"], "Type": properties["Type"]}

    def delete(self, place: Place, made: Made) -> None:
        gone(lambda: place.client("ssm").delete_parameter(Name=made.physical_resource_id))


@kind("AWS::Organizations::Policy")
class OrganizationsPolicy(Kind):
    """An SCP (or another policy) and its attachments."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        organizations = place.client("organizations")
        policy = organizations.create_policy(
            Name=properties["Name"],
            Description=properties.get("Description", ""),
            Type=properties["Type"],
            Content=document(properties["Content"]),
        )["Policy"]["PolicySummary"]
        for target in properties.get("TargetIds", []):
            organizations.attach_policy(PolicyId=policy["Id"], TargetId=target)
        return policy["Id"], {"Arn": policy["Arn"], "Id": policy["Id"]}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if made.properties["Type"] != properties["Type"]:
            raise Replaced
        organizations, identifier = place.client("organizations"), made.physical_resource_id
        organizations.update_policy(
            PolicyId=identifier,
            Name=properties["Name"],
            Description=properties.get("Description", ""),
            Content=document(properties["Content"]),
        )
        before = set(made.properties.get("TargetIds", []))
        after = set(properties.get("TargetIds", []))
        for target in sorted(before - after):
            organizations.detach_policy(PolicyId=identifier, TargetId=target)
        for target in sorted(after - before):
            organizations.attach_policy(PolicyId=identifier, TargetId=target)
        return identifier, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        organizations, identifier = place.client("organizations"), made.physical_resource_id
        for target in made.properties.get("TargetIds", []):
            organizations.detach_policy(PolicyId=identifier, TargetId=target)
        gone(lambda: organizations.delete_policy(PolicyId=identifier))


@kind("AWS::SecretsManager::Secret")
class Secret(Kind):
    """A secret that says its text itself or asks for a random one; removed without recovery."""

    def create(self, place: Place, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        secrets = place.client("secretsmanager")
        request = picked(properties, "Description", "KmsKeyId")
        if tags := place.tags(properties):
            request["Tags"] = tags
        name = properties.get("Name") or place.name(64)
        text = self._text(secrets, properties)
        arn = secrets.create_secret(Name=name, SecretString=text, **request)["ARN"]
        return arn, {"Id": arn}

    def update(
        self, place: Place, made: Made, properties: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if properties.get("Name") != made.properties.get("Name"):
            raise Replaced
        secrets, arn = place.client("secretsmanager"), made.physical_resource_id
        says = ("GenerateSecretString", "SecretString")
        if any(made.properties.get(one) != properties.get(one) for one in says):
            text = self._text(secrets, properties)
            secrets.put_secret_value(SecretId=arn, SecretString=text)
        secrets.update_secret(SecretId=arn, **picked(properties, "Description", "KmsKeyId"))
        return arn, made.attributes

    def delete(self, place: Place, made: Made) -> None:
        secrets, arn = place.client("secretsmanager"), made.physical_resource_id
        gone(lambda: secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True))

    def _text(self, secrets: Any, properties: dict[str, Any]) -> str:
        wanted = properties.get("GenerateSecretString")
        if wanted is None:
            return str(properties.get("SecretString", ""))
        key, template = wanted.get("GenerateStringKey"), wanted.get("SecretStringTemplate")
        request = {
            name: value
            for name, value in wanted.items()
            if name not in ("GenerateStringKey", "SecretStringTemplate")
        }
        made = str(secrets.get_random_password(**request)["RandomPassword"])
        return json.dumps({**json.loads(template), key: made}) if template and key else made
