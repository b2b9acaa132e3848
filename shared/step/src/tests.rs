use serde_json::json;

use crate::{Half, Permission, Place, Site, statements};

const PERMISSIONS: [Permission; 4] = [
    Permission::look(Site::Member, "iam:GetRole", "arn:${Partition}:iam::${Account}:role/a"),
    Permission::look(Site::Member, "iam:GetRole", "arn:${Partition}:iam::${Account}:role/b"),
    Permission::act(Site::Member, "iam:CreateRole", "arn:${Partition}:iam::${Account}:role/a")
        .birth(),
    Permission::act(Site::Management, "organizations:CreateAccount", "*").when((
        "StringEquals",
        "aws:ResourceAccount",
        "${Account}",
    )),
];

fn place() -> Place {
    Place::with(vec![("${Partition}", "aws".to_owned()), ("${Account}", "222222222222".to_owned())])
}

#[test]
fn alike_permissions_share_a_statement() {
    let looks = PERMISSIONS.iter().filter(|permission| permission.half == Half::Look);
    assert_eq!(
        statements(looks, &place()),
        [json!({
            "Effect": "Allow", "Action": "iam:GetRole",
            "Resource": ["arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222:role/b"]
        })]
    );
}

#[test]
fn a_condition_keeps_a_statement_of_its_own() {
    let written = statements(&PERMISSIONS, &place());
    assert_eq!(written.len(), 3);
    assert_eq!(written[2]["Condition"]["StringEquals"]["aws:ResourceAccount"], "222222222222");
}
