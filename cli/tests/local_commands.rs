//! What the command says and how it exits, as far as it needs no API.

use std::process::Output;

use assert_cmd::Command;

const TENANT: &str = "apiVersion: landfall/v1\nkind: Tenant\n\
                      metadata: {workspace: payments, project: checkout, platform: aws}\n\
                      spec:\n  landingZone: production\n";

fn landfall(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    for name in ["LANDFALL_API", "LANDFALL_REGION", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"]
    {
        command.env_remove(name);
    }
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .args(arguments)
        .write_stdin(input)
        .output()
        .expect("the command runs")
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_good_document_is_ok() {
    let (code, out, _) = said(&landfall(&["lint", "-"], TENANT));
    assert_eq!((code, out.as_str()), (0, "Tenant payments.checkout.aws: ok\n"));
}

#[test]
fn a_bad_document_exits_with_2_and_names_line_and_remedy() {
    let (code, out, err) =
        said(&landfall(&["lint", "-"], &TENANT.replace("landingZone", "landingzone")));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--> (standard input):5:3"), "{err}");
    assert!(err.contains("Did you mean `landingZone`?"), "{err}");
    assert!(err.contains("2 problems; nothing was sent"), "{err}");
    assert!(!err.contains('\u{1b}'), "no colours without a terminal");
}

#[test]
fn problems_as_json_are_for_programs() {
    let (code, out, _) =
        said(&landfall(&["lint", "-", "-o", "json"], &TENANT.replace("payments", "Payments")));
    let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, told["exitCode"].as_i64()), (2, Some(2)));
    let problem = &told["problems"][0];
    assert_eq!(problem["field"], "metadata.workspace");
    assert_eq!((problem["line"].as_i64(), problem["column"].as_i64()), (Some(3), Some(23)));
}

#[test]
fn a_bad_document_is_refused_before_anything_is_sent() {
    let endpoint = ["apply", "-f", "-", "--endpoint", "http://127.0.0.1:1"];
    let (code, _, err) = said(&landfall(&endpoint, "kind: Tenant\n"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("apiVersion"), "{err}");
}

#[test]
fn a_file_that_is_not_there_exits_with_2() {
    let (code, _, err) = said(&landfall(&["lint", "nowhere.yaml"], ""));
    assert_eq!(code, 2);
    assert!(err.contains("nowhere.yaml: can't be read"), "{err}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    assert_eq!(said(&landfall(&["appply"], "")).0, 2);
    assert_eq!(
        said(&landfall(&["describe", "payments", "--endpoint", "http://127.0.0.1:1"], "")).0,
        2
    );
}

#[test]
fn without_an_endpoint_the_command_says_how_to_name_one() {
    let (code, _, err) = said(&landfall(&["get", "tenants"], ""));
    assert_eq!(code, 2);
    assert!(err.contains("LANDFALL_API"), "{err}");
}

#[test]
fn without_credentials_the_exit_is_3() {
    let arguments =
        ["get", "tenants", "--endpoint", "http://127.0.0.1:1", "--region", "eu-central-1"];
    let (code, _, err) = said(&landfall(&arguments, ""));
    assert_eq!(code, 3, "{err}");
}

#[test]
fn an_api_that_does_not_answer_exits_with_5() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    let output = command
        .args(["get", "platforms", "--endpoint", "http://127.0.0.1:1", "--region", "eu-central-1"])
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .output()
        .expect("the command runs");
    let (code, _, err) = said(&output);
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("can't be reached"), "{err}");
}

#[test]
fn the_exit_codes_are_documented_where_they_are_asked_for_and_in_the_docs() {
    let (code, table, _) = said(&landfall(&["exit-codes"], ""));
    assert_eq!(code, 0);
    let (_, help, _) = said(&landfall(&["help", "exit-codes"], ""));
    let docs = include_str!("../../docs/CLI.md");
    for line in table.lines() {
        assert!(help.contains(line), "{line}");
        let number = line.split_whitespace().next().expect("a code");
        let meaning = line
            .split_once("  ")
            .and_then(|(_, rest)| rest.split("  ").last())
            .expect("a meaning")
            .trim();
        let documented = docs
            .lines()
            .any(|row| row.starts_with(&format!("| {number} |")) && row.contains(meaning));
        assert!(documented, "docs/CLI.md must say: {line}");
    }
}

#[test]
fn every_command_is_in_the_docs() {
    let (_, help, _) = said(&landfall(&["help"], ""));
    let docs = include_str!("../../docs/CLI.md");
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    for line in commands.take_while(|line| !line.trim().is_empty()) {
        let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        let name = name.split_whitespace().next().expect("a name");
        assert!(
            name == "help" || docs.contains(&format!("landfall {name}")),
            "docs/CLI.md must show `landfall {name}`"
        );
    }
}

#[test]
fn a_schema_is_json_and_refuses_unknown_fields() {
    for kind in ["tenant", "landing-zones", "platform"] {
        let (code, out, _) = said(&landfall(&["schema", kind], ""));
        let schema: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((code, schema["additionalProperties"].as_bool()), (0, Some(false)));
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = said(&landfall(&["completions", shell], ""));
        assert!(code == 0 && out.contains("replicate"), "{shell}");
    }
}

#[test]
fn the_examples_are_well() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let (code, out, err) = said(&landfall(&["lint", examples], ""));
    assert_eq!(code, 0, "{err}");
    assert!(out.lines().count() >= 7, "{out}");
}

#[test]
fn a_sandbox_that_was_not_started_is_not_found() {
    let folder = std::env::temp_dir().join(format!("landfall-no-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    let output = command
        .args(["sandbox", "status"])
        .current_dir(&folder)
        .output()
        .expect("the command runs");
    let _ = std::fs::remove_dir_all(&folder);
    let (code, _, err) = said(&output);
    assert_eq!(code, 6);
    assert!(err.contains("landfall sandbox up"), "{err}");
}
