//! Follows tenants until their runs have ended.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use jiff::SignedDuration;
use tenant::{Name, Phase, TenantView};

use super::Context;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::show::Live;

/// How many requests are under way at once.
pub const ABREAST: usize = 16;
const PAUSE: Duration = Duration::from_millis(600);
/// How many rounds may go unanswered before it is given up.
const PATIENCE: u32 = 20;
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

    fn has_ended(&self, tenant: Option<&TenantView>) -> bool {
        tenant.is_some_and(|tenant| tenant.is_settled() && tenant.run >= self.run)
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
    let mut views: Vec<Option<TenantView>> = vec![None; followed.len()];
    let mut unanswered = 0;
    loop {
        let looked = Instant::now();
        match look(api, followed, &mut views).await {
            Ok(()) => unanswered = 0,
            Err(trouble) if trouble.exit == Exit::NotReachable && unanswered < PATIENCE => {
                unanswered += 1;
            }
            Err(trouble) => return Err(trouble),
        }
        let known: Vec<TenantView> = views.iter().flatten().cloned().collect();
        live.show(&known);
        let open = followed
            .iter()
            .zip(&views)
            .filter(|(followed, view)| !followed.has_ended(view.as_ref()))
            .count();
        if open == 0 {
            warn(context, &known);
            return Ok(known);
        }
        if timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
            return Err(Trouble::new(
                Exit::Unfinished,
                format!(
                    "{open} of {} tenants have not ended yet; the work goes on",
                    followed.len()
                ),
            ));
        }
        // Whoever answers slowly is asked less often.
        pause(&mut live, context, &known, looked.elapsed().max(PAUSE)).await;
    }
}

/// Says what is not as wished for though nothing has failed.
fn warn(context: &Context, tenants: &[TenantView]) {
    for tenant in tenants {
        for warning in tenant.steps.iter().flat_map(|step| &step.warnings) {
            context.terminal.say(format!("{}  ! {warning}", tenant.name));
        }
    }
}

/// Looks at those who have not ended; whom the API does not answer for stays as last seen.
async fn look(
    api: &Api,
    followed: &[Followed],
    views: &mut [Option<TenantView>],
) -> Result<(), Trouble> {
    let open: Vec<usize> = (0..followed.len())
        .filter(|index| !followed[*index].has_ended(views[*index].as_ref()))
        .collect();
    let names: Vec<&Name> = open.iter().map(|index| &followed[*index].name).collect();
    let answers: Vec<_> = futures::stream::iter(names)
        .map(|name| api.tenant(name, false))
        .buffered(ABREAST)
        .collect()
        .await;
    let mut trouble = Ok(());
    for (index, answer) in open.into_iter().zip(answers) {
        match answer {
            Ok(view) => views[index] = Some(view),
            Err(why) => trouble = Err(why),
        }
    }
    trouble
}

async fn pause(live: &mut Live, context: &Context, views: &[TenantView], length: Duration) {
    let until = Instant::now() + length;
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
    let any = |phase| tenants.iter().any(|tenant| tenant.phase == phase);
    match (any(Phase::Failed), any(Phase::Waiting)) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Unfinished,
        (false, false) => Exit::Ok,
    }
}
