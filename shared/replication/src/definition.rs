//! Reads a definition in Amazon States Language: which function runs after which.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::{Each, Step};

/// A block of states: the machine itself, a branch, or what a map does with each item.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    start_at: String,
    states: HashMap<String, State>,
}

/// A state, as far as it says what runs and what follows.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct State {
    next: Option<String>,
    default: Option<String>,
    choices: Vec<Edge>,
    catch: Vec<Edge>,
    branches: Vec<Block>,
    item_processor: Option<Block>,
    items_path: Option<String>,
    parameters: Parameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Edge {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    function_name: Option<String>,
}

/// The steps of a definition in the order in which they run; none if it is no definition, which a test rules out.
pub(crate) fn steps(definition: &str) -> Vec<Step> {
    let Ok(machine) = serde_saphyr::from_str::<Block>(definition) else { return Vec::new() };
    of_block(&machine, None)
}

fn of_block(block: &Block, each: Option<Each>) -> Vec<Step> {
    let states = order(block).into_iter().filter_map(|name| block.states.get(name));
    states.flat_map(|state| of_state(state, each)).collect()
}

fn of_state(state: &State, each: Option<Each>) -> Vec<Step> {
    let own = state.parameters.function_name.as_deref().and_then(step_name);
    let own = own.map(|name| Step { name, each });
    let branches = state.branches.iter().flat_map(|branch| of_block(branch, each));
    let over = match state.items_path.as_deref() {
        Some("$.admitted.answer.parts") => Each::StackSet,
        _ => Each::Other,
    };
    let items = state.item_processor.iter().flat_map(|block| of_block(block, Some(over)));
    own.into_iter().chain(branches).chain(items).collect()
}

/// The states of a block so that each stands after all that lead to it; ways back, as from a wait, do not count.
fn order(block: &Block) -> Vec<&str> {
    fn visit<'a>(
        block: &'a Block,
        name: &'a str,
        met: &mut HashSet<&'a str>,
        left: &mut Vec<&'a str>,
    ) {
        if !met.insert(name) {
            return;
        }
        if let Some(state) = block.states.get(name) {
            let edges = state.choices.iter().chain(&state.catch).map(|edge| &edge.next);
            for next in edges.chain(&state.next).chain(&state.default) {
                visit(block, next, met, left);
            }
        }
        left.push(name);
    }
    let mut left = Vec::new();
    visit(block, &block.start_at, &mut HashSet::new(), &mut left);
    left.reverse();
    left
}

/// `${PlaceAccountFunction}` runs the step `place-account`.
fn step_name(function: &str) -> Option<String> {
    let name = function.strip_prefix("${")?.strip_suffix("Function}")?;
    let mut text = String::new();
    for one in name.chars() {
        if one.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(one.to_ascii_lowercase());
    }
    Some(text)
}
