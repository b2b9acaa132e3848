use std::{collections::BTreeSet, fs, path::Path};

use crate::{ENDS, Each, STEPS, definition};

/// A machine with a wait, a choice, branches of which one is a map, and what ends it.
const DEFINITION: &str = r"
StartAt: Begin
States:
  End: {Type: Task, Parameters: {FunctionName: '${EndFunction}'}}
  Begin: {Type: Task, Parameters: {FunctionName: '${BeginFunction}'}, Next: BeginTurn, Catch: [{ErrorEquals: [States.ALL], Next: End}]}
  BeginTurn:
    Type: Choice
    Choices:
      - {Variable: $.turn, StringEquals: again, Next: AwaitBegin}
      - {Variable: $.turn, StringEquals: over, Next: End}
    Default: Furnish
  AwaitBegin: {Type: Wait, Seconds: 1, Next: Begin}
  Furnish:
    Type: Parallel
    Branches:
      - StartAt: NameIt
        States: {NameIt: {Type: Task, Parameters: {FunctionName: '${NameItFunction}'}}}
      - StartAt: ForEach
        States:
          ForEach:
            Type: Map
            ItemsPath: $.admitted.answer.parts
            ItemProcessor:
              StartAt: RollOut
              States: {RollOut: {Type: Task, Parameters: {FunctionName: '${RollOutFunction}'}, Next: Rolled}, Rolled: {Type: Pass}}
    Next: ForEachHook
  ForEachHook:
    Type: Map
    ItemsPath: $.hooks
    ItemProcessor:
      StartAt: CallHook
      States: {CallHook: {Type: Task, Parameters: {FunctionName: '${CallHookFunction}'}}}
    Next: Verify
  Verify: {Type: Task, Parameters: {FunctionName: '${VerifyFunction}'}, Next: End}
";

#[test]
fn steps_stand_in_the_order_in_which_they_run_wherever_they_are_written() {
    let steps = definition::steps(DEFINITION);
    let found: Vec<(&str, Option<Each>)> =
        steps.iter().map(|step| (step.name.as_str(), step.each)).collect();
    assert_eq!(
        found,
        [
            ("begin", None),
            ("name-it", None),
            ("roll-out", Some(Each::StackSet)),
            ("call-hook", Some(Each::Other)),
            ("verify", None),
            ("end", None),
        ]
    );
}

#[test]
fn a_text_that_is_no_definition_has_no_steps() {
    assert_eq!(definition::steps("StartAt: Nowhere"), []);
}

/// What answers requests and events runs in no replication.
const DOORS: [&str; 5] = ["announce", "intake", "hear-events", "start-due", "survey"];

#[test]
fn every_function_that_is_no_door_and_no_end_is_a_step_once() {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let folders = fs::read_dir(functions).expect("the folder of functions").flatten();
    let names = folders.filter(|folder| folder.path().join("Cargo.toml").exists());
    let names: BTreeSet<String> =
        names.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    let steps: Vec<&str> = STEPS.iter().map(|step| step.name.as_str()).collect();
    for name in &names {
        let known = steps.contains(&name.as_str());
        let elsewhere = DOORS.contains(&name.as_str()) || ENDS.contains(&name.as_str());
        assert!(known != elsewhere, "add a state for functions/{name} to the state machine");
    }
    for step in &steps {
        assert!(names.contains(*step), "the state machine runs {step}; functions/ has none");
        assert_eq!(steps.iter().filter(|other| *other == step).count(), 1, "{step} runs twice");
    }
}

#[test]
fn a_run_begins_with_its_admission_and_its_account() {
    let first: Vec<&str> = STEPS.iter().take(3).map(|step| step.name.as_str()).collect();
    assert_eq!(first, ["admit", "create-account", "place-account"]);
}

#[test]
fn a_step_has_a_part_for_each_stack_set() {
    let zone = serde_json::from_value(serde_json::json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {},
        "stackSets": [{"name": "audit", "regions": ["eu-central-1"]}, {"name": "alarm", "regions": []}]
    }))
    .expect("a landing zone");
    let by_set = STEPS.iter().find(|step| step.each == Some(Each::StackSet)).expect("a map");
    assert_eq!(by_set.parts(Some(&zone)), [Some("audit"), Some("alarm")]);
    assert!(by_set.parts(None).is_empty());
    assert_eq!(STEPS[0].parts(Some(&zone)), [None]);
}
