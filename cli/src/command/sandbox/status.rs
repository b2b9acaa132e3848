//! `landfall sandbox status`: whether it runs, and where.

use jiff::Timestamp;

use super::{Context, Control, State};
use crate::exit::{Exit, Trouble};
use crate::show::{instant, table};

/// Prints what is known about the sandbox.
pub async fn run(context: &Context) -> Result<Exit, Trouble> {
    let state = State::load()?;
    let control = Control::new(&state.endpoint);
    if !control.is_ready().await {
        State::forget();
        return Err(Trouble::new(Exit::NotFound, "the sandbox that was started here has ended"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "an epoch in seconds fits an i64")]
    let now = Timestamp::from_second(control.clock().await?.epoch as i64).unwrap_or_default();
    let calls = control.log(0).await?.len();
    let mut rows = vec![
        vec!["endpoint".to_owned(), state.endpoint.clone()],
        vec!["process".to_owned(), state.pid.to_string()],
        vec!["virtual time".to_owned(), instant(now)],
        vec!["speed".to_owned(), state.speed.to_string()],
        vec!["seed".to_owned(), state.seed.to_string()],
        vec!["calls".to_owned(), calls.to_string()],
    ];
    rows.extend(
        state.accounts.iter().map(|(name, id)| vec![format!("account {name}"), id.clone()]),
    );
    context.terminal.print(table(&["SANDBOX", ""], &rows));
    Ok(Exit::Ok)
}
