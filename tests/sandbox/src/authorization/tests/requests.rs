//! Requests as clients send them.

use super::super::{Protocol, Subject};
use super::*;

#[test]
fn a_json_request_names_its_resources_and_condition_keys() {
    let body = r#"{"Email":"a@example.com","AccountName":"a","Tags":[{"Key":"landfall:tenant","Value":"t"}]}"#;
    let target = "AWSOrganizationsV20161128.CreateAccount";
    let call = json_call("organizations", MANAGEMENT, target, body).expect("a call");
    assert_eq!(call.protocol, Protocol::Json11);
    assert!(call.write);
    assert_eq!(
        asked(&call),
        [
            "organizations:CreateAccount *",
            "organizations:TagResource \
             arn:aws:organizations::111111111111:account/o-landfall01/*",
        ]
    );
    let context = &call.demands[0].context;
    assert_eq!(context.get("aws:RequestTag/landfall:tenant"), Some(&["t".to_owned()][..]));
    assert_eq!(context.get("aws:TagKeys"), Some(&["landfall:tenant".to_owned()][..]));
}

#[test]
fn moving_an_account_asks_about_the_account_and_both_parents() {
    let body = r#"{"AccountId":"222222222222","SourceParentId":"r-land","DestinationParentId":"ou-land-workprod"}"#;
    let target = "AWSOrganizationsV20161128.MoveAccount";
    let call = json_call("organizations", MANAGEMENT, target, body).expect("a call");
    assert_eq!(
        asked(&call),
        [
            "organizations:MoveAccount \
             arn:aws:organizations::111111111111:account/o-landfall01/222222222222",
            "organizations:MoveAccount arn:aws:organizations::111111111111:root/o-landfall01/r-land",
            "organizations:MoveAccount \
             arn:aws:organizations::111111111111:ou/o-landfall01/ou-land-workprod",
        ]
    );
}

#[test]
fn assuming_a_role_asks_for_tags_and_source_identity_as_well() {
    let form = "Action=AssumeRole&Version=2011-06-15\
                &RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Faccess\
                &RoleSessionName=landfall-1&ExternalId=secret&SourceIdentity=me\
                &Tags.member.1.Key=k&Tags.member.1.Value=v";
    let call = query_call("sts", AUTOMATION, form).expect("a call");
    let role = "arn:aws:iam::222222222222:role/access";
    assert_eq!(
        asked(&call),
        [
            format!("sts:AssumeRole {role}"),
            format!("sts:TagSession {role}"),
            format!("sts:SetSourceIdentity {role}"),
        ]
    );
    let context = &call.demands[0].context;
    assert_eq!(context.get("sts:ExternalId"), Some(&["secret".to_owned()][..]));
    assert_eq!(context.get("sts:RoleSessionName"), Some(&["landfall-1".to_owned()][..]));
    assert_eq!(call.subject(), Some(Subject::Trust(role.to_owned())));
    assert!(!call.write);
}

#[test]
fn iam_requests_carry_policies_boundaries_and_paths() {
    let form = "Action=AttachRolePolicy&RoleName=access\
                &PolicyArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Apolicy%2Flife";
    let call = query_call("iam", MEMBER, form).expect("a call");
    assert_eq!(asked(&call), ["iam:AttachRolePolicy arn:aws:iam::222222222222:role/access"]);
    let policy = "arn:aws:iam::222222222222:policy/life".to_owned();
    assert_eq!(call.demands[0].context.get("iam:PolicyARN"), Some(&[policy][..]));

    let form = "Action=CreateRole&Path=%2Flandfall%2F&RoleName=access&PermissionsBoundary=b";
    let call = query_call("iam", MEMBER, form).expect("a call");
    assert_eq!(asked(&call), ["iam:CreateRole arn:aws:iam::222222222222:role/landfall/access"]);
    assert_eq!(call.demands[0].context.get("iam:PermissionsBoundary"), Some(&["b".to_owned()][..]));
}

#[test]
fn a_function_is_the_same_by_name_arn_and_qualifier() {
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:landfall-admit";
    let invoke = |name: &str, query: &str| {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let body = br#"{"tenant":"t"}"#;
        let parts =
            RequestParts { path: &path, query, body, ..parts("lambda", AUTOMATION, &NO_HEADERS) };
        let call = Call::of(&parts, &WORLD).expect("a call");
        assert_eq!(call.action(), "lambda:InvokeFunction");
        call.resource().to_owned()
    };
    assert_eq!(invoke("landfall-admit", ""), function);
    assert_eq!(invoke(&function.replace(':', "%3A"), ""), function);
    assert_eq!(invoke("landfall-admit", "Qualifier=live"), format!("{function}:live"));
}

#[test]
fn dynamodb_requests_name_tables_and_partition_keys() {
    let target = |operation: &str| format!("DynamoDB_20120810.{operation}");
    let leading = |call: &Call, demand: usize| {
        call.demands[demand].context.get("dynamodb:LeadingKeys").map(<[String]>::to_vec)
    };
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/ledger";

    let body = r#"{"TableName":"ledger","Key":{"pk":{"S":"TENANT#1"},"sk":{"S":"TENANT"}}}"#;
    let call = json_call("dynamodb", AUTOMATION, &target("GetItem"), body).expect("a call");
    assert_eq!(asked(&call), [format!("dynamodb:GetItem {table}")]);
    assert_eq!(leading(&call, 0), Some(vec!["TENANT#1".to_owned()]));

    let body = r##"{"TableName":"ledger","IndexName":"due",
        "KeyConditionExpression":"#d = :due AND nextRun < :now",
        "ExpressionAttributeValues":{":due":{"S":"due"},":now":{"S":"2026"}}}"##;
    let call = json_call("dynamodb", AUTOMATION, &target("Query"), body).expect("a call");
    assert_eq!(asked(&call), [format!("dynamodb:Query {table}/index/due")]);
    assert_eq!(leading(&call, 0), Some(vec!["due".to_owned()]));

    let body = r#"{"TransactItems":[
        {"Put":{"TableName":"ledger","Item":{"pk":{"S":"A"},"sk":{"S":"B"}}}},
        {"Update":{"TableName":"ledger","Key":{"pk":{"S":"C"},"sk":{"S":"D"}}}}]}"#;
    let call = json_call("dynamodb", AUTOMATION, &target("TransactWriteItems"), body);
    let call = call.expect("a call");
    let expected = [format!("dynamodb:PutItem {table}"), format!("dynamodb:UpdateItem {table}")];
    assert_eq!(asked(&call), expected);
    assert_eq!(leading(&call, 1), Some(vec!["C".to_owned()]));
    assert!(call.write);

    let body = r#"{"RequestItems":{"ledger":[{"PutRequest":{"Item":{"pk":{"S":"A"}}}},
        {"DeleteRequest":{"Key":{"pk":{"S":"B"},"sk":{"S":"C"}}}}]}}"#;
    let call = json_call("dynamodb", AUTOMATION, &target("BatchWriteItem"), body).expect("a call");
    assert_eq!(asked(&call), [format!("dynamodb:BatchWriteItem {table}")]);
}

#[test]
fn every_event_is_asked_about_by_its_bus_and_source() {
    let body = r#"{"Entries":[
        {"Source":"landfall","DetailType":"Phase","Detail":"{}"},
        {"Source":"other","DetailType":"Phase","Detail":"{}",
         "EventBusName":"arn:aws:events:us-east-1:111111111111:event-bus/foundation"}]}"#;
    let call = json_call("events", AUTOMATION, "AWSEvents.PutEvents", body).expect("a call");
    assert_eq!(
        asked(&call),
        [
            "events:PutEvents arn:aws:events:eu-central-1:123456789012:event-bus/default",
            "events:PutEvents arn:aws:events:us-east-1:111111111111:event-bus/foundation",
        ]
    );
    assert_eq!(call.demands[1].context.get("events:source"), Some(&["other".to_owned()][..]));
}

#[test]
fn stack_sets_are_named_with_their_target_regions() {
    let form = "Action=CreateStackInstances&StackSetName=landfall-access\
                &Accounts.member.1=222222222222&Regions.member.1=eu-central-1\
                &Regions.member.2=us-east-1&OperationId=o";
    let call = query_call("cloudformation", AUTOMATION, form).expect("a call");
    assert_eq!(
        asked(&call),
        ["cloudformation:CreateStackInstances \
          arn:aws:cloudformation:eu-central-1:123456789012:stackset/landfall-access:*"]
    );
    assert_eq!(
        call.demands[0].context.get("cloudformation:TargetRegion").map(<[String]>::len),
        Some(2)
    );
}

#[test]
fn an_http_api_is_asked_about_by_method_and_path() {
    let path = "/workspaces/payments/projects/checkout/tenants/aws";
    let parts = RequestParts { method: "PUT", path, ..parts("execute-api", MEMBER, &NO_HEADERS) };
    let call = Call::of(&parts, &WORLD).expect("a call");
    assert_eq!(
        asked(&call),
        [format!(
            "execute-api:Invoke arn:aws:execute-api:eu-central-1:123456789012:api1/$default/PUT{path}"
        )]
    );
    assert_eq!(call.protocol, Protocol::HttpApi);
}

#[test]
fn member_accounts_are_resources_of_the_management_account() {
    let call = |body: &str| {
        let parts = RequestParts {
            path: "/enableRegion",
            body: body.as_bytes(),
            ..parts("account", MANAGEMENT, &NO_HEADERS)
        };
        Call::of(&parts, &WORLD).expect("a call").resource().to_owned()
    };
    assert_eq!(
        call(r#"{"AccountId":"222222222222","RegionName":"eu-south-2"}"#),
        "arn:aws:account::111111111111:account/o-landfall01/222222222222"
    );
    assert_eq!(call(r#"{"RegionName":"eu-south-2"}"#), "arn:aws:account::111111111111:account");
}

#[test]
fn cbor_requests_are_read_like_json() {
    let path = "/service/AWS242ServiceCatalogService/operation/ProvisionProduct";
    // {"ProductId": "prod-1"}
    let mut body = vec![0xa1, 0x69];
    body.extend(b"ProductId");
    body.push(0x66);
    body.extend(b"prod-1");
    let parts =
        RequestParts { path, body: &body, ..parts("servicecatalog", MANAGEMENT, &NO_HEADERS) };
    let call = Call::of(&parts, &WORLD).expect("a call");
    assert_eq!(call.protocol, Protocol::Cbor);
    assert_eq!(
        asked(&call),
        [
            "servicecatalog:ProvisionProduct \
             arn:aws:catalog:eu-central-1:111111111111:product/prod-1",
            "controltower:CreateManagedAccount *",
            "controltower:DescribeManagedAccount *",
            "organizations:DescribeOrganization *"
        ]
    );
}

#[test]
fn an_operation_without_a_row_says_what_to_add() {
    let target = "AWSOrganizationsV20161128.InviteAccountToOrganization";
    let error = json_call("organizations", MANAGEMENT, target, "{}").expect_err("no row");
    assert_eq!(
        error.to_string(),
        "organizations:InviteAccountToOrganization is unknown here: \
         add a row to tests/sandbox/src/authorization/operations"
    );
    assert!(json_call("organizations", MANAGEMENT, "X.ListRoots", "[").is_err());
    assert!(query_call("iam", MEMBER, "RoleName=a").is_err());
}
