"""An account's name, contacts, e-mail address and alias, as Account Management and IAM keep them.

moto keeps contacts of any shape for whoever asks, knows nothing of names and addresses, and lets
two accounts have one alias. A new address gets a code by mail, which `GET /landfall/mailbox` shows.
"""

import re
from typing import Any

import accounts
import clock
from patching import Refusal, method_of
from settings import draw

ALIAS = re.compile(r"^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$")
# Account Management's own patterns.
NAME = re.compile(r"^[ -;=?-~]{1,50}$")
PHONE = re.compile(r"^[\s0-9()+-]{1,25}$")
OTP = re.compile(r"^[a-zA-Z0-9]{6}$")
CONTACT = re.compile(r"^[\s]*[\w+=.#!&-]+@[\w.-]+\.[\w]+[\s]*$")
# How long a code counts; AWS says that it must be used within a day.
CODE_SECONDS = 86_400
PATHS = (
    "acceptPrimaryEmailUpdate",
    "getAccountInformation",
    "getPrimaryEmail",
    "putAccountName",
    "startPrimaryEmailUpdate",
)

# Account to the new address, its code and when it was mailed.
_mailed: dict[str, tuple[str, str, float]] = {}
_sent: list[dict[str, Any]] = []
# Aliases that other AWS customers have.
FOREIGN_ALIASES = ("acme", "acme-taken-shop")


def mailbox(address: str | None) -> list[dict[str, Any]]:
    """What AWS mailed, the latest last: to one address, or to all."""
    return [mail for mail in _sent if address is None or mail["to"] == address.lower()]


def _denied(action: str) -> Refusal:
    message = f"You are not authorized to perform: account:{action}"
    return Refusal("AccessDeniedException", message, 403)


def _invalid(field: str) -> Refusal:
    return Refusal("ValidationException", f"The value of {field} is not valid.", 400)


def _about(self: Any, action: str, *, by_management_only: bool = False) -> accounts.Account:
    """Whom a call is about: the caller's own account, or a member that the management names."""
    named = self._get_param("AccountId")
    caller = str(self.current_account)
    organizations = accounts.backend()
    if not named and not by_management_only:
        return accounts.register.by_id[caller]
    management = organizations.org.master_account_id
    trusted = {one["ServicePrincipal"] for one in _trusted(organizations)}
    if caller != management or not named or named == management:
        raise _denied(action)
    if "account.amazonaws.com" not in trusted:
        raise _denied(action)
    found = accounts.register.by_id.get(str(named))
    if found is None:
        raise _denied(action)
    return found


def _trusted(organizations: Any) -> list[dict[str, Any]]:
    answer = organizations.list_aws_service_access_for_organization()
    if isinstance(answer, dict):
        return list(answer["EnabledServicePrincipals"])
    return list(answer)


def install() -> None:
    """Puts the changes in place."""
    from moto.account import urls
    from moto.account.responses import AccountResponse

    for path in PATHS:
        urls.url_paths[f"{{0}}/{path}$"] = AccountResponse.dispatch
    _contacts()
    _names()
    _addresses()
    _aliases()


def _contacts() -> None:
    from moto.account.models import account_backends
    from moto.account.responses import AccountResponse
    from moto.core.responses import ActionResult, EmptyResult

    def kept(self: Any, action: str) -> tuple[dict[str, Any], str]:
        account = _about(self, action)
        kind = str(self._get_param("AlternateContactType") or "")
        if kind not in ("BILLING", "OPERATIONS", "SECURITY"):
            raise _invalid("alternateContactType")
        return account_backends[account.id]["aws"]._alternate_contacts, kind

    def missing(kind: str) -> Refusal:
        message = f"No contact of the inputted alternate contact type found: {kind}"
        return Refusal("ResourceNotFoundException", message, 404)

    @method_of(AccountResponse)
    def put_alternate_contact(self: Any) -> Any:
        from moto.account.models import AlternateContact

        contacts, kind = kept(self, "PutAlternateContact")
        email, name = self._get_param("EmailAddress") or "", self._get_param("Name") or ""
        title, phone = self._get_param("Title") or "", self._get_param("PhoneNumber") or ""
        if not 1 <= len(email) <= 254 or not CONTACT.match(email):
            raise _invalid("emailAddress")
        if not 1 <= len(name) <= 64:
            raise _invalid("name")
        if not 1 <= len(title) <= 50:
            raise _invalid("title")
        if not PHONE.match(phone):
            raise _invalid("phoneNumber")
        contacts[kind] = AlternateContact(
            alternate_contact_type=kind,
            title=title,
            name=name,
            email_address=email,
            phone_number=phone,
        )
        return EmptyResult()

    @method_of(AccountResponse)
    def get_alternate_contact(self: Any) -> Any:
        contacts, kind = kept(self, "GetAlternateContact")
        if kind not in contacts:
            raise missing(kind)
        return ActionResult({"AlternateContact": contacts[kind]})

    @method_of(AccountResponse)
    def delete_alternate_contact(self: Any) -> Any:
        contacts, kind = kept(self, "DeleteAlternateContact")
        if contacts.pop(kind, None) is None:
            raise missing(kind)
        return EmptyResult()


def _names() -> None:
    from moto.account.responses import AccountResponse
    from moto.core.responses import ActionResult, EmptyResult

    @method_of(AccountResponse)
    def get_account_information(self: Any) -> Any:
        account = _about(self, "GetAccountInformation")
        return ActionResult(
            {
                "AccountId": account.id,
                "AccountName": account.name,
                "AccountCreatedDate": account.create_time,
            }
        )

    @method_of(AccountResponse)
    def put_account_name(self: Any) -> Any:
        account = _about(self, "PutAccountName")
        name = self._get_param("AccountName") or ""
        if not NAME.match(name):
            raise _invalid("accountName")
        account.name = name
        return EmptyResult()


def _addresses() -> None:
    from moto.account.responses import AccountResponse
    from moto.core.responses import ActionResult

    @method_of(AccountResponse)
    def get_primary_email(self: Any) -> Any:
        account = _about(self, "GetPrimaryEmail", by_management_only=True)
        return ActionResult({"PrimaryEmail": account.email})

    @method_of(AccountResponse)
    def start_primary_email_update(self: Any) -> Any:
        account = _about(self, "StartPrimaryEmailUpdate", by_management_only=True)
        email = self._get_param("PrimaryEmail") or ""
        if not 5 <= len(email) <= 64 or not accounts.EMAIL.match(email):
            raise _invalid("primaryEmail")
        with accounts.lock:
            if _in_use(email):
                message = "The email address is already in use."
                raise Refusal("ConflictException", message, 409)
            number = len(_sent)
            code = f"{draw('otp', account.id, email, str(number)).randrange(10**6):06}"
            _mailed[account.id] = (email.lower(), code, clock.now())
            _sent.append(
                {"to": email.lower(), "account": account.id, "code": code, "at": clock.now()}
            )
        return ActionResult({"Status": "PENDING"})

    @method_of(AccountResponse)
    def accept_primary_email_update(self: Any) -> Any:
        account = _about(self, "AcceptPrimaryEmailUpdate", by_management_only=True)
        email, otp = self._get_param("PrimaryEmail") or "", self._get_param("Otp") or ""
        if not OTP.match(otp):
            raise _invalid("otp")
        with accounts.lock:
            address, code, since = _mailed.get(account.id, ("", "", 0.0))
            if address != email.lower():
                message = "There is no update of the primary email to this address."
                raise Refusal("ResourceNotFoundException", message, 404)
            if otp != code or clock.now() > since + CODE_SECONDS:
                raise _invalid("otp")
            if _in_use(email):
                message = "The email address is already in use."
                raise Refusal("ConflictException", message, 409)
            del _mailed[account.id]
            # The old address is free again for other accounts.
            accounts.register.by_email.pop(account.email.lower(), None)
            account.email = email
            accounts.register.by_email[email.lower()] = account
        return ActionResult({"Status": "ACCEPTED"})


def _in_use(email: str) -> bool:
    from settings import SETTINGS

    foreign = {address.lower() for address in SETTINGS.foreign_emails}
    return email.lower() in accounts.register.by_email or email.lower() in foreign


def _aliases() -> None:
    from moto.iam.models import IAMBackend, iam_backends

    @method_of(IAMBackend)
    def create_account_alias(self: Any, alias: str) -> None:
        if not ALIAS.match(alias) or re.fullmatch(r"\d{12}", alias):
            message = (
                f"1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern"
            )
            raise Refusal("ValidationError", message, 400)
        with accounts.lock:
            others = [
                backend
                for regions in iam_backends.values()
                for backend in regions.values()
                if backend is not self
            ]
            if alias in FOREIGN_ALIASES or any(alias in one.account_aliases for one in others):
                message = f"The account alias {alias} already exists."
                raise Refusal("EntityAlreadyExists", message, 409)
            # A second alias takes the place of the first.
            self.account_aliases = [alias]
