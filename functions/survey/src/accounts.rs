//! The look at all accounts of the organization.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use ledger::{Leg, List, Position};
use organization::{Member, Organization};
use step::Site;
use tenant::{AccountId, Difference, DriftField, Failure, GONE, SurveySummary, Unmanaged, Watch};

use crate::{Progress, Survey};

/// Time between two pages: AWS takes eight calls a second, and others list accounts too.
const PACE: SignedDuration = SignedDuration::from_millis(200);
/// Rows of tenants in one read; DynamoDB gives what a megabyte holds.
const ROWS: i32 = 1_000;
/// Accounts that are no tenant's by what is known, and asked about together.
const TOGETHER: usize = 80;

/// The tenants of a platform that have accounts.
pub(crate) struct Watched {
    /// Those that are watched, by their accounts.
    pub(crate) watches: HashMap<AccountId, Watch>,
    /// The accounts of all, those that run or leave included.
    pub(crate) accounts: HashSet<AccountId>,
}

impl Survey<'_> {
    /// Reads all tenants, and keeps of each what a look is held against.
    pub(crate) async fn watched(&self) -> Result<Watched, Failure> {
        let (mut watches, mut accounts) = (HashMap::new(), HashSet::new());
        let mut after = None;
        loop {
            let page =
                self.means.ledger.tenants(List::Living, None, after.as_deref(), ROWS).await?;
            for tenant in page.0.iter().filter(|tenant| tenant.name.platform == self.name) {
                accounts.extend(tenant.account.clone());
                let watch = self.watch(tenant);
                watches.extend(watch.map(|watch| (watch.account.clone(), watch)));
            }
            match page.1 {
                Some(next) => after = Some(next),
                None => return Ok(Watched { watches, accounts }),
            }
        }
    }

    /// Notes what a look at an account found of its tenant.
    pub(crate) async fn hold(
        &self,
        position: &mut Position,
        watch: &Watch,
        found: &[Difference],
    ) -> Result<(), Failure> {
        let summary = &mut position.summary;
        if !found.is_empty() {
            summary.differing += 1;
        }
        match found.iter().find(|one| one.field == DriftField::AccountState) {
            Some(one) if one.actual == GONE => summary.missing += 1,
            Some(_) => summary.suspended += 1,
            None => {}
        }
        if found.is_empty() && !watch.deviates {
            return Ok(());
        }
        let decides = |field: DriftField, _: Option<&str>| field.is_of_the_account();
        self.note(position, watch.tenant, decides, found).await
    }

    /// Writes down the accounts that are no tenant's. What was made since the tenants were read, or is being made, is
    /// one's: the ledger says so.
    pub(crate) async fn write_down(
        &self,
        position: &mut Position,
        strangers: Vec<Member>,
        known: &HashMap<AccountId, Unmanaged>,
    ) -> Result<(), Failure> {
        let (ledger, now) = (&self.means.ledger, self.means.now());
        if strangers.is_empty() {
            return Ok(());
        }
        let (owned, asked) = tokio::try_join!(
            ledger.owned(strangers.iter().map(|member| &member.id)),
            ledger.asked_for(strangers.iter().map(|member| member.seen.email.as_str())),
        )?;
        for member in strangers {
            if owned.contains(&member.id) || asked.contains(&member.seen.email.to_lowercase()) {
                continue;
            }
            position.summary.unmanaged += 1;
            let sighting = sighting(self.name, member, now);
            if let Some(row) = sighting.clone().after(known.get(&sighting.account)) {
                ledger.put_unmanaged(&row).await?;
            }
        }
        Ok(())
    }
}

/// Looks at all accounts from the position on.
pub(crate) async fn look(
    survey: &Survey<'_>,
    position: &mut Position,
) -> Result<Progress, Failure> {
    let ledger = &survey.means.ledger;
    let mut walk = Walk {
        survey,
        watched: survey.watched().await?,
        known: ledger.all_unmanaged(survey.name).await?,
        seen: HashSet::new(),
        strangers: Vec::new(),
    };
    if matches!(position.leg, Leg::Accounts { token: Some(_) }) {
        walk.seen = ledger.seen(survey.name).await?;
    }
    let walked = walk.go(position).await;
    // Whoever goes on has to know whom this turn has seen, and that nobody is left to be asked about.
    let asked = walk.ask_about_strangers(position).await;
    if !matches!((&walked, &asked), (Ok(Progress::Done), Ok(()))) {
        ledger.keep_seen(survey.name, &walk.seen, survey.means.now()).await?;
    }
    asked.and(walked)
}

struct Walk<'a> {
    survey: &'a Survey<'a>,
    watched: Watched,
    known: HashMap<AccountId, Unmanaged>,
    seen: HashSet<AccountId>,
    strangers: Vec<Member>,
}

impl Walk<'_> {
    async fn go(&mut self, position: &mut Position) -> Result<Progress, Failure> {
        let session = self.survey.sessions.look(Site::Management).await?;
        let organization = Organization::new(&session);
        loop {
            let Leg::Accounts { token } = &position.leg else { return Ok(Progress::Done) };
            let page = organization.members(token.as_deref()).await?;
            position.summary.calls.accounts += 1;
            let Some(page) = page else {
                tracing::info!("the listing's token is no longer good; it begins anew");
                self.begin_anew(position);
                continue;
            };
            for member in page.members {
                self.meet(position, member).await?;
            }
            if self.strangers.len() >= TOGETHER {
                self.ask_about_strangers(position).await?;
            }
            let is_last = page.next.is_none();
            position.leg = Leg::Accounts { token: page.next };
            if is_last {
                break;
            }
            if self.survey.is_over() {
                return Ok(Progress::More);
            }
            self.survey.means.pause(PACE).await;
        }
        self.miss(position).await?;
        Ok(Progress::Done)
    }

    fn begin_anew(&mut self, position: &mut Position) {
        let SurveySummary { since, calls, asked_by, .. } = position.summary.clone();
        position.summary = SurveySummary { calls, ..SurveySummary::begun(&asked_by, since) };
        position.leg = Leg::Accounts { token: None };
        self.seen.clear();
    }

    /// Holds one account against its tenant, if it is one's.
    async fn meet(&mut self, position: &mut Position, member: Member) -> Result<(), Failure> {
        if !self.seen.insert(member.id.clone()) {
            return Ok(());
        }
        position.summary.accounts += 1;
        if self.watched.accounts.contains(&member.id) {
            position.summary.tenants += 1;
        }
        if let Some(watch) = self.watched.watches.get(&member.id).cloned() {
            let zone = self.survey.zones.get(&watch.landing_zone);
            let found = watch.differences(Some(&member.seen), zone, self.survey.platform);
            return self.survey.hold(position, &watch, &found).await;
        }
        if !self.survey.is_a_seat(&member.id) && !self.watched.accounts.contains(&member.id) {
            self.strangers.push(member);
        }
        Ok(())
    }

    /// Finds the tenants whose accounts are not in the organization any more.
    async fn miss(&mut self, position: &mut Position) -> Result<(), Failure> {
        let gone: Vec<Watch> = self
            .watched
            .watches
            .values()
            .filter(|watch| !self.seen.contains(&watch.account))
            .cloned()
            .collect();
        for watch in gone {
            let found = watch.differences(None, None, self.survey.platform);
            position.summary.tenants += 1;
            self.survey.hold(position, &watch, &found).await?;
        }
        Ok(())
    }

    /// Writes down the accounts met so far that are no tenant's.
    async fn ask_about_strangers(&mut self, position: &mut Position) -> Result<(), Failure> {
        let strangers = std::mem::take(&mut self.strangers);
        self.survey.write_down(position, strangers, &self.known).await
    }
}

fn sighting(platform: &str, member: Member, now: Timestamp) -> Unmanaged {
    let Member { id, seen, joined_method, joined } = member;
    Unmanaged {
        platform: platform.to_owned(),
        account: id,
        name: seen.name,
        email: seen.email,
        units: seen.units,
        state: seen.state,
        joined_method,
        joined,
        first_seen: now,
        last_seen: now,
    }
}
