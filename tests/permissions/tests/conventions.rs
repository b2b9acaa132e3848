//! What holds for every declaration of permissions.

use std::{fs, path::Path};

use permissions::{declared, files};
use session::{LONGEST_POLICY, session_policy};
use step::{Place, Site};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn policies_and_templates_say_what_the_steps_declare() {
    for file in files(root()) {
        let written = fs::read_to_string(root().join(&file.path)).unwrap_or_default();
        assert!(
            written == file.text,
            "{} is not what the code declares: run `make policies`",
            file.path
        );
    }
}

#[test]
fn every_session_policy_fits_into_an_assume_role() {
    let place = Place::with(vec![
        ("${Partition}", "aws-us-gov".to_owned()),
        ("${Management}", "111111111111".to_owned()),
        ("${Automation}", "123456789012".to_owned()),
        ("${Account}", "222222222222".to_owned()),
        ("${AccessRole}", format!("{}/{}", "p".repeat(63), "r".repeat(64))),
        ("${ExecutionRole}", "r".repeat(64)),
        ("${Region}", "us-gov-west-1".to_owned()),
    ]);
    for (name, permissions) in declared() {
        for site in [Site::Automation, Site::Management, Site::Closing, Site::Member] {
            let length = session_policy(permissions, site, true, &place).to_string().len();
            assert!(
                length <= LONGEST_POLICY,
                "{name} at {site:?}: {length} characters; AWS takes {LONGEST_POLICY}. Share resources between actions."
            );
        }
    }
}

#[test]
fn a_look_declares_no_action_that_changes() {
    let reads = ["Describe", "Get", "List", "Search"];
    for (name, permissions) in declared() {
        for permission in
            permissions.iter().filter(|permission| permission.half == step::Half::Look)
        {
            let verb = permission.action.split_once(':').map_or("", |(_, verb)| verb);
            assert!(
                reads.iter().any(|read| verb.starts_with(read)),
                "{name}: {} is declared as a look; declare it with Permission::act",
                permission.action
            );
        }
    }
}
