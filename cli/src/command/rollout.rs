//! `landfall rollout`: stops, resumes or abandons the roll-out of a changed landing zone or platform.

use clap::{Args, Subcommand, ValueEnum};
use tenant::{Kind, RollOutState, RollOutWish};

use super::Context;
use crate::exit::{Exit, Trouble};
use crate::show::{self, Paint};

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Lets no further wave begin; runs that are under way end.
    Stop(Arguments),
    /// Lets it go on: whoever failed runs again, then the next wave begins.
    Resume(Arguments),
    /// Gives it up: whoever has not had their turn get the change with their next run, whatever that is for.
    Abandon(Arguments),
}

/// A kind of what is rolled out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum RolledOut {
    /// A landing zone.
    #[value(alias = "landing-zones", alias = "landingzone", alias = "landingzones")]
    LandingZone,
    /// A platform.
    #[value(alias = "platforms")]
    Platform,
}

/// Arguments of what is done to a roll-out.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What was changed.
    pub kind: RolledOut,
    /// Its name.
    pub name: String,
    /// Why, for the history.
    #[arg(short, long, value_name = "TEXT")]
    pub comment: String,
}

/// Does it, and prints how the roll-out stands.
pub async fn run(context: &Context, act: &Act) -> Result<Exit, Trouble> {
    let (wanted, state) = match act {
        Act::Stop(wanted) => (wanted, RollOutState::Stopped),
        Act::Resume(wanted) => (wanted, RollOutState::Rolling),
        Act::Abandon(wanted) => (wanted, RollOutState::Abandoned),
    };
    let kind = match wanted.kind {
        RolledOut::LandingZone => Kind::LandingZone,
        RolledOut::Platform => Kind::Platform,
    };
    let wish = RollOutWish { state, comment: wanted.comment.clone() };
    let roll_out = context.api().await?.put_roll_out(kind, &wanted.name, &wish).await?;
    let paint = Paint::still(context.terminal.colours_results());
    context.terminal.print(show::roll_outs(&[roll_out], paint));
    Ok(Exit::Ok)
}
