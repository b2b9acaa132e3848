//! `landfall sandbox down`: ends the sandbox.

use std::time::Duration;

use super::{Context, Control, State};
use crate::exit::{Exit, Trouble};

/// How long a sandbox may take to end.
const PATIENCE: u32 = 100;

/// Asks the sandbox to end and waits until it has.
pub async fn run(context: &Context) -> Result<Exit, Trouble> {
    let state = State::load()?;
    let control = Control::new(&state.endpoint);
    let _ = control.shut_down().await;
    for _ in 0..PATIENCE {
        if !control.is_ready().await {
            State::forget();
            context.terminal.say(format!("the sandbox at {} has ended", state.endpoint));
            return Ok(Exit::Ok);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Trouble::new(
        Exit::Failed,
        format!("the sandbox does not end; its process is {}", state.pid),
    ))
}
