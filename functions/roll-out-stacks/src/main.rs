//! The door of the step `roll-out-stacks`.

use roll_out_stacks::RollOutStacks;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| RollOutStacks { sessions }).await
}
