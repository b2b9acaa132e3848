//! Decisions with the facts of callers and targets, and AWS's words for them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Principal, PrincipalFacts, RoleFacts, Target, Verdict, authorize};
use super::*;

const NOW: Timestamp = Timestamp::constant(1_781_524_800, 0);

fn allow(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}})
}

fn everything() -> Value {
    allow("*", "*")
}

/// A session of role `landfall-place-account-1` in the automation account.
fn principal_facts() -> PrincipalFacts {
    serde_json::from_value(json!({
        "account": AUTOMATION,
        "arn": "arn:aws:sts::123456789012:assumed-role/landfall-place-account-1/i-1",
        "kind": "role-session",
        "role_arn": "arn:aws:iam::123456789012:role/landfall-place-account-1",
        "session_policy": null,
    }))
    .expect("facts")
}

fn role_facts(account: &str, more: Value) -> RoleFacts {
    let mut facts = json!({
        "exists": true, "account": account, "trust": null, "identity": [], "boundary": null,
        "tags": {}, "scps": [], "org_id": "o-landfall01",
        "org_paths": ["o-landfall01/r-land/ou-land-infrastr/"],
    });
    for (key, value) in more.as_object().expect("facts") {
        facts[key] = value.clone();
    }
    serde_json::from_value(facts).expect("facts")
}

fn principal(holder: Value, session: Option<&[Value]>) -> Principal {
    Principal::new(&principal_facts(), &role_facts(AUTOMATION, holder), session).expect("policies")
}

fn trust(condition: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole", "Condition": condition}})
}

/// The trust of `LandfallVend`: an external id, and roles of ours only.
fn vend_trust() -> Value {
    trust(json!({
        "StringEquals": {"sts:ExternalId": "secret"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/landfall-*"},
    }))
}

fn assume(more: &str, principal: &Principal, trust: Value) -> Verdict {
    let form = format!(
        "Action=AssumeRole&RoleArn=arn:aws:iam::111111111111:role/LandfallVend\
         &RoleSessionName=landfall-t{more}"
    );
    let call = query_call("sts", AUTOMATION, &form).expect("a call");
    let facts = role_facts(MANAGEMENT, json!({"trust": trust}));
    authorize(&call, principal, &Target::trust(&facts).expect("a policy"), NOW)
}

#[test]
fn a_role_in_another_account_needs_both_sides() {
    let entitled = principal(json!({"identity": [allow("sts:AssumeRole", "*")]}), None);
    assert!(assume("&ExternalId=secret", &entitled, vend_trust()).allowed);

    let verdict = assume("", &entitled, vend_trust());
    assert_eq!(verdict.decision, "denied:trust");
    assert_eq!(
        verdict.message,
        "User: arn:aws:sts::123456789012:assumed-role/landfall-place-account-1/i-1 is not \
         authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111111111111:role/LandfallVend"
    );

    let nobody = principal(json!({}), None);
    assert_eq!(assume("&ExternalId=secret", &nobody, vend_trust()).decision, "denied:identity");

    let limited = principal(
        json!({"identity": [everything()]}),
        Some(&[allow("sts:AssumeRole", "arn:aws:iam::*:role/LandfallRead")]),
    );
    assert_eq!(assume("&ExternalId=secret", &limited, vend_trust()).decision, "denied:session");
}

#[test]
fn tags_and_source_identity_need_the_targets_trust() {
    let principal = principal(json!({"identity": [everything()]}), None);
    let own = trust(json!({"StringEquals": {"aws:PrincipalOrgID": "o-landfall01"}}));
    assert!(assume("", &principal, own.clone()).allowed);
    let verdict = assume("&SourceIdentity=me", &principal, own.clone());
    assert_eq!((verdict.allowed, verdict.action.as_str()), (false, "sts:SetSourceIdentity"));
    let verdict = assume("&Tags.member.1.Key=k&Tags.member.1.Value=v", &principal, own);
    assert_eq!((verdict.allowed, verdict.action.as_str()), (false, "sts:TagSession"));
}

#[test]
fn a_role_that_does_not_exist_trusts_nobody() {
    let call = query_call(
        "sts",
        AUTOMATION,
        "Action=AssumeRole&RoleArn=arn:aws:iam::222222222222:role/none&RoleSessionName=s",
    );
    let facts: RoleFacts =
        serde_json::from_value(json!({"exists": false, "account": MEMBER})).expect("facts");
    let principal = principal(json!({"identity": [everything()]}), None);
    let target = Target::trust(&facts).expect("a policy");
    let verdict = authorize(&call.expect("a call"), &principal, &target, NOW);
    assert_eq!(verdict.decision, "denied:trust");
}

#[test]
fn a_delegated_administrator_needs_no_policy_but_its_own() {
    let form = "Action=DescribeStackSet&StackSetName=guard&CallAs=DELEGATED_ADMIN";
    let call = query_call("cloudformation", AUTOMATION, form).expect("a call");
    let may = |account: &str| {
        let set = format!("arn:aws:cloudformation:eu-central-1:{account}:stackset/*");
        let identity = [allow("cloudformation:DescribeStackSet", &set)];
        let principal = principal(json!({"identity": identity}), None);
        authorize(&call, &principal, &Target::default(), NOW)
    };
    assert!(may(MANAGEMENT).allowed);
    assert_eq!(may(AUTOMATION).decision, "denied:identity");
}

/// Creates a role in the caller's account.
fn create_role(principal: &Principal) -> Verdict {
    let call = query_call("iam", AUTOMATION, "Action=CreateRole&RoleName=x").expect("a call");
    authorize(&call, principal, &Target::default(), NOW)
}

#[test]
fn the_message_says_which_policies_denied() {
    let deny = json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}});
    let start = "User: arn:aws:sts::123456789012:assumed-role/landfall-place-account-1/i-1 is not \
                 authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::123456789012:role/x";
    let all = everything();
    let cases = [
        (
            json!({}),
            "identity",
            " because no identity-based policy allows the iam:CreateRole action",
        ),
        (
            json!({"identity": [all, deny]}),
            "identity",
            " with an explicit deny in an identity-based policy",
        ),
        (
            json!({"identity": [all], "boundary": [allow("s3:*", "*")]}),
            "boundary",
            " because no permissions boundary allows the iam:CreateRole action",
        ),
        (
            json!({"identity": [all], "scps": [[all], [all, deny]]}),
            "scp",
            " with an explicit deny in a service control policy",
        ),
    ];
    for (holder, layer, reason) in cases {
        let verdict = create_role(&principal(holder, None));
        assert_eq!(verdict.decision, format!("denied:{layer}"));
        assert_eq!(verdict.message, format!("{start}{reason}"));
    }
    let denied = create_role(&principal(json!({"identity": [all]}), Some(&[allow("s3:*", "*")])));
    assert!(denied.message.ends_with("because no session policy allows the iam:CreateRole action"));
}

#[test]
fn every_demand_must_be_allowed() {
    let only_create = allow("organizations:CreateAccount", "*");
    let body = r#"{"Email":"a@b","AccountName":"a","Tags":[{"Key":"k","Value":"v"}]}"#;
    let target = "AWSOrganizationsV20161128.CreateAccount";
    let call = json_call("organizations", AUTOMATION, target, body).expect("a call");
    let principal = principal(json!({"identity": [only_create]}), None);
    let verdict = authorize(&call, &principal, &Target::default(), NOW);
    assert_eq!(verdict.action, "organizations:TagResource");
}

#[test]
fn an_identity_is_told_whatever_the_policies_say() {
    let call = query_call("sts", AUTOMATION, "Action=GetCallerIdentity").expect("a call");
    let verdict = authorize(&call, &principal(json!({}), None), &Target::default(), NOW);
    assert_eq!((verdict.allowed, verdict.decision), (true, "allowed"));
}

#[test]
fn services_enter_by_the_resource_policy_only() {
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:landfall-hear-events";
    let rule = "arn:aws:events:eu-central-1:123456789012:rule/organizations";
    let path = "/2015-03-31/functions/landfall-hear-events/invocations";
    let parts = RequestParts { path, ..parts("lambda", AUTOMATION, &NO_HEADERS) };
    let call = Call::of(&parts, &WORLD).expect("a call");
    let permission = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Rule", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": function,
        "Condition": {"ArnLike": {"AWS:SourceArn": rule}}}]});
    let verdict = |service: &str, source: &str, policy: Option<&Value>| {
        let caller = Principal::service(service, source, AUTOMATION, Some("o-landfall01"));
        let target = Target::resource(AUTOMATION, policy).expect("a policy");
        authorize(&call, &caller, &target, NOW).decision
    };
    assert_eq!(verdict("events.amazonaws.com", rule, Some(&permission)), "allowed");
    assert_eq!(verdict("events.amazonaws.com", "arn:x", Some(&permission)), "denied:resource");
    assert_eq!(verdict("apigateway.amazonaws.com", rule, Some(&permission)), "denied:resource");
    assert_eq!(verdict("events.amazonaws.com", rule, None), "denied:resource");
}

#[test]
fn a_bus_takes_events_of_other_accounts_by_its_policy() {
    let bus = "arn:aws:events:eu-central-1:111111111111:event-bus/default";
    let body = format!(r#"{{"Entries":[{{"Source":"landfall","EventBusName":"{bus}"}}]}}"#);
    let call = json_call("events", AUTOMATION, "AWSEvents.PutEvents", &body).expect("a call");
    let entitled = principal(json!({"identity": [allow("events:PutEvents", "*")]}), None);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": AUTOMATION}, "Action": "events:PutEvents",
        "Resource": bus, "Condition": {"StringEquals": {"events:source": "landfall"}}}]});
    let decision = |policy: Option<&Value>| {
        let target = Target::resource(MANAGEMENT, policy).expect("a policy");
        authorize(&call, &entitled, &target, NOW).decision
    };
    assert_eq!(decision(Some(&policy)), "allowed");
    assert_eq!(decision(None), "denied:resource");
}

#[test]
fn conditions_see_the_virtual_time_the_tags_and_the_boundary() {
    let conditional = json!({"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Action": "iam:DeleteRole", "Resource": "*",
    "Condition": {
        "DateLessThan": {"aws:CurrentTime": "2026-06-15T12:00:01Z"},
        "StringEquals": {
            "iam:ResourceTag/owner": "landfall",
            "aws:PrincipalTag/team": "foundation",
            "iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/edge",
        }}}});
    let principal =
        principal(json!({"identity": [conditional], "tags": {"team": "foundation"}}), None);
    let call = query_call("iam", AUTOMATION, "Action=DeleteRole&RoleName=x").expect("a call");
    let facts = role_facts(
        AUTOMATION,
        json!({"tags": {"owner": "landfall"},
            "boundary_arn": "arn:aws:iam::123456789012:policy/edge"}),
    );
    let decide = |now| authorize(&call, &principal, &Target::role(&facts), now).decision;
    assert_eq!(decide(NOW), "allowed");
    assert_eq!(decide(Timestamp::constant(1_781_524_801, 0)), "denied:identity");
}

#[test]
fn root_may_do_what_control_policies_leave() {
    let facts = PrincipalFacts {
        account: MEMBER.to_owned(),
        arn: "arn:aws:iam::222222222222:root".to_owned(),
        kind: "root".to_owned(),
        role_arn: None,
        session_policy: None,
    };
    let deny_root = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}});
    let call = query_call("iam", MEMBER, "Action=CreateRole&RoleName=x").expect("a call");
    let decision = |scps: Value| {
        let holder = role_facts(MEMBER, json!({"scps": scps}));
        let root = Principal::new(&facts, &holder, None).expect("policies");
        authorize(&call, &root, &Target::default(), NOW).decision
    };
    assert_eq!(decision(json!([[everything()]])), "allowed");
    assert_eq!(decision(json!([[everything(), deny_root]])), "denied:scp");
}
