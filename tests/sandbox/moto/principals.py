"""Who an access key belongs to, and the roles behind ARNs: an index over moto's IAM and STS."""

import json
import re
from dataclasses import dataclass
from typing import Any

import policies
from patching import Refusal, method_of


@dataclass
class Principal:
    """The holder of an access key."""

    account: str
    arn: str
    kind: str
    role_arn: str | None = None
    session_policy: dict[str, Any] | None = None
    session: Any = None


DEFAULT_KEY = "AKIAEXAMPLE"
_keys: dict[str, str] = {}
_sessions: dict[str, Principal] = {}


def find(key: str) -> Principal | None:
    """The principal of an access key that STS or IAM gave out here."""
    if key in _sessions:
        return _sessions[key]
    account = _keys.get(key)
    if account is None:
        return None
    from moto.iam.models import iam_backends

    access_key = iam_backends[account]["aws"].access_keys.get(key)
    if access_key is None or not access_key.user_name:
        return None
    user = iam_backends[account]["aws"].users.get(access_key.user_name)
    return Principal(account, user.arn, "user") if user else None


def role_of(arn: str) -> Any:
    """moto's role of this ARN, or None."""
    from moto.iam.models import iam_backends

    parts = arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        return None
    name = parts[5].rsplit("/", 1)[-1]
    backend = iam_backends[parts[4]]["aws"]
    for role in list(backend.roles.values()):
        if role.name == name and role.arn == arn:
            return role
    return None


def role_named(arn: str) -> Any:
    """moto's role of the name in an ARN without path, whatever path it has, or None."""
    from moto.iam.models import iam_backends

    parts = arn.split(":")
    if len(parts) != 6 or parts[5].count("/") != 1 or not parts[5].startswith("role/"):
        return None
    name = parts[5].removeprefix("role/")
    roles = list(iam_backends[parts[4]]["aws"].roles.values())
    return next((role for role in roles if role.name == name), None)


def user_identity(key: str, account: str) -> dict[str, Any]:
    """The principal as CloudTrail events describe it."""
    principal = find(key)
    if principal is None:
        return {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root"}
    identity = {"arn": principal.arn, "accountId": principal.account, "accessKeyId": key}
    if principal.kind == "user":
        return {"type": "IAMUser", "userName": principal.arn.split("/")[-1], **identity}
    role = role_of(principal.role_arn or "")
    identifier = role.id if role else "AROAEXAMPLE"
    name = (principal.role_arn or "").split("/")[-1]
    issuer = {
        "type": "Role",
        "principalId": identifier,
        "arn": principal.role_arn,
        "accountId": principal.account,
        "userName": name,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"{identifier}:{principal.arn.split('/')[-1]}",
        **identity,
        "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {}},
    }


def merged(documents: list[Any]) -> dict[str, Any]:
    """Several session policies as one document that decides the same."""
    statements: list[Any] = []
    for document in documents:
        found = document.get("Statement", [])
        statements.extend(found if isinstance(found, list) else [found])
    return {"Version": "2012-10-17", "Statement": statements}


def managed_document(account: str, arn: str) -> Any:
    """The default version of a managed policy as seen from the account; None if there is none."""
    from moto.iam.models import iam_backends

    policies.provide(iam_backends[account]["aws"], arn)
    policy = iam_backends[account]["aws"].managed_policies.get(arn)
    return policies.document_of(policy) if policy else None


def _check_session(request: Any) -> None:
    """Refuses a session that is named or lasts as AWS does not allow."""
    name = request._get_param("RoleSessionName") or ""
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", name):
        pattern = "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        message = f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: {pattern}"
        raise Refusal("ValidationError", f"1 validation error detected: {message}")
    seconds = int(request._get_param("DurationSeconds") or 3600)
    caller = find(request.access_key)
    if caller is not None and caller.kind == "role-session" and seconds > 3600:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles"
        raise Refusal("ValidationError", f"{message} assumed by role chaining.")
    role = role_of(request._get_param("RoleArn") or "")
    if role is not None and seconds > int(role.max_session_duration or 3600):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise Refusal("ValidationError", message)


def install() -> None:
    """Puts the index in place."""
    from moto.iam import models as iam
    from moto.sts.models import STSBackend
    from moto.sts.responses import TokenResponse

    first = iam.AccessKey.__init__

    def indexed(self: Any, user_name: Any, prefix: str, account_id: str, **more: Any) -> None:
        first(self, user_name, prefix, account_id, **more)
        _keys[self.access_key_id] = account_id

    iam.AccessKey.__init__ = indexed
    default = iam.DEFAULT_ACCOUNT_ID
    iam.get_account_id_from = lambda key: _keys.get(key, default)
    iam.mark_account_as_visited = lambda **visit: None

    assume_role = STSBackend.assume_role

    @method_of(STSBackend)
    def assume_role_and_note(self: Any, **request: Any) -> Any:
        session = assume_role(self, **request)
        _sessions[session.access_key_id] = Principal(
            session.account_id, session.arn, "role-session", session.role_arn, session=session
        )
        return session

    STSBackend.assume_role = assume_role_and_note
    respond = TokenResponse.assume_role

    @method_of(TokenResponse)
    def respond_and_note(self: Any) -> Any:
        role = self._get_param("RoleArn") or ""
        account = role.split(":")[4] if role.count(":") >= 5 else ""
        _check_session(self)
        documents = []
        if policy := self._get_param("Policy"):
            try:
                documents.append(json.loads(policy))
            except ValueError:
                raise Refusal("MalformedPolicyDocument", "The policy is not in valid JSON format.")
            if len(policy) > 2048:
                message = "Member must have length less than or equal to 2048"
                raise Refusal("ValidationError", f"1 validation error detected: policy: {message}")
        for entry in self._get_param("PolicyArns") or []:
            document = managed_document(account, entry.get("arn") or entry.get("Arn") or "")
            if document is None:
                message = "The specified managed session policy does not exist."
                raise Refusal("MalformedPolicyDocument", message)
            documents.append(document)
        result = respond(self)
        if documents:
            key = result.result["Credentials"].access_key_id
            _sessions[key].session_policy = merged(documents)
        return result

    TokenResponse.assume_role = respond_and_note
