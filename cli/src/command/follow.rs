//! Follows tenants until their runs have ended.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use jiff::SignedDuration;
use tenant::{Name, Phase, TenantView};

use super::Context;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::show::Live;

/// How many requests are under way at once.
pub const ABREAST: usize = 16;
const PAUSE: Duration = Duration::from_millis(600);
const PICTURE: Duration = Duration::from_millis(120);

/// A tenant that is followed.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Its name.
    pub name: Name,
    /// The first run whose end counts.
    pub run: u64,
}

impl Followed {
    /// Follows a tenant until its wish is met, or its run has ended otherwise.
    #[must_use]
    pub fn wish(tenant: &TenantView) -> Self {
        Self { name: name(tenant), run: 0 }
    }

    fn has_ended(&self, tenant: &TenantView) -> bool {
        tenant.is_settled() && tenant.run >= self.run
    }
}

fn name(tenant: &TenantView) -> Name {
    Name::new(&tenant.workspace, &tenant.project, &tenant.platform)
}

/// Shows tenants live until all have ended; how they stand then.
pub async fn follow(
    context: &Context,
    api: &Api,
    followed: &[Followed],
    timeout: Option<SignedDuration>,
) -> Result<Vec<TenantView>, Trouble> {
    let mut live = Live::new(&context.terminal);
    let began = Instant::now();
    let timeout = timeout.map(|timeout| Duration::try_from(timeout).unwrap_or_default());
    loop {
        let views = look(api, followed).await?;
        live.show(&views);
        let mut together = followed.iter().zip(&views);
        if together.all(|(followed, view)| followed.has_ended(view)) {
            return Ok(views);
        }
        if timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
            let open = followed
                .iter()
                .zip(&views)
                .filter(|(followed, view)| !followed.has_ended(view))
                .count();
            return Err(Trouble::new(
                Exit::TimedOut,
                format!(
                    "{open} of {} tenants have not ended yet; the work goes on",
                    followed.len()
                ),
            ));
        }
        pause(&mut live, context, &views).await;
    }
}

/// How tenants stand now.
pub async fn look(api: &Api, followed: &[Followed]) -> Result<Vec<TenantView>, Trouble> {
    futures::stream::iter(followed)
        .map(|followed| api.tenant(&followed.name, false))
        .buffered(ABREAST)
        .try_collect()
        .await
}

async fn pause(live: &mut Live, context: &Context, views: &[TenantView]) {
    let until = Instant::now() + PAUSE;
    while Instant::now() < until {
        tokio::time::sleep(PICTURE).await;
        if context.terminal.is_live() {
            live.show(views);
        }
    }
}

/// How a command ends whose tenants stand like this.
#[must_use]
pub fn exit(tenants: &[TenantView]) -> Exit {
    let failed = tenants.iter().any(|tenant| tenant.phase == Phase::Failed);
    if failed { Exit::Failed } else { Exit::Ok }
}
