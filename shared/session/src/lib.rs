//! Opens AWS sessions that can do no more than a step declares.
//!
//! Sessions chain: function role → management role (with the external id) → access role. Every AssumeRole carries the
//! step's declared permissions as session policy and is named for the tenant. A look gets the look half; in a plan an
//! act gets no more than that either, so that AWS itself makes sure that a plan changes nothing. No source identity
//! and no session tags: the role that Organizations makes trusts `sts:AssumeRole` only.

mod external_id;

use std::collections::HashMap;

use aws_config::{Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sts::{
    Client,
    config::http::HttpResponse,
    error::SdkError,
    operation::assume_role::{AssumeRoleError, AssumeRoleOutput},
    types::PolicyDescriptorType,
};
use jiff::Timestamp;
use refusal::{Refusal, Row};
use serde_json::{Value, json};
use step::{Half, Permission, Place, Site, YOUNG, document, statements};
use tenant::{AccountId, Failure, FailureName, Mode};
use tokio::sync::Mutex;
use uuid::Uuid;

pub use crate::external_id::ExternalId;

/// The most characters of a session policy, by AWS.
pub const LONGEST_POLICY: usize = 2_048;

const TABLE: &[Row] = &[
    (
        "PackedPolicyTooLarge",
        "",
        FailureName::Defect,
        "Landfall asks for more than fits into one session. Its operators have been told.",
    ),
    (
        "MalformedPolicyDocument",
        "",
        FailureName::Defect,
        "AWS does not accept a policy of Landfall's. Its operators have been told.",
    ),
    (
        "RegionDisabledException",
        "",
        FailureName::Blocked,
        "A Region is not enabled in the account. Ask Landfall's operators to enable it or to take it out of the landing zone.",
    ),
];

/// Whom sessions are for, and how they are opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The function's own configuration and credentials.
    pub base: SdkConfig,
    /// What our own roles ask for.
    pub external_id: ExternalId,
    /// What fills the placeholders of permissions.
    pub place: Place,
    /// The tenant whose id names the sessions.
    pub tenant: Uuid,
    /// In a plan no session can change anything.
    pub mode: Mode,
    /// What may be done.
    pub permissions: &'static [Permission],
    /// The tenant's account and since when it is known.
    pub account: Option<(AccountId, Option<Timestamp>)>,
    /// When the turn began.
    pub now: Timestamp,
}

/// The sessions of one turn, each opened when it is first needed.
#[derive(Debug)]
pub struct Sessions {
    opening: Opening,
    open: Mutex<HashMap<(Site, Half), SdkConfig>>,
}

impl Sessions {
    /// Sessions for one turn.
    #[must_use]
    pub fn new(opening: Opening) -> Self {
        Self { opening, open: Mutex::default() }
    }

    /// A session that may only read.
    pub async fn look(&self, site: Site) -> Result<SdkConfig, Failure> {
        self.session(site, Half::Look).await
    }

    /// A session that may change what the step declares.
    pub async fn act(&self, site: Site) -> Result<SdkConfig, Failure> {
        self.session(site, Half::Act).await
    }

    /// A session in the member account that is limited by a managed policy there instead of by our declaration: it
    /// proves what the access role can do once that policy is all it has.
    pub async fn limited(&self, policy_arn: &str) -> Result<SdkConfig, Failure> {
        let hop = self.hop(Half::Look).await?;
        let limit = PolicyDescriptorType::builder().arn(policy_arn).build();
        self.assume(&hop, &self.opening.place.fill(ACCESS_ROLE), None, Some(limit), false).await
    }

    async fn session(&self, site: Site, half: Half) -> Result<SdkConfig, Failure> {
        let mut open = self.open.lock().await;
        if let Some(session) = open.get(&(site, half)) {
            return Ok(session.clone());
        }
        let session = self.open(site, half).await?;
        open.insert((site, half), session.clone());
        Ok(session)
    }

    async fn open(&self, site: Site, half: Half) -> Result<SdkConfig, Failure> {
        let Opening { base, place, .. } = &self.opening;
        let policy = self.policy(site, half)?;
        match site {
            Site::Automation => {
                let role = "arn:${Partition}:iam::${Automation}:role/LandfallStacks";
                self.assume(base, &place.fill(role), Some(&policy), None, true).await
            }
            Site::Management => {
                self.assume(base, &place.fill(management_role(half)), Some(&policy), None, true)
                    .await
            }
            Site::Closing => {
                let role = "arn:${Partition}:iam::${Management}:role/LandfallClose";
                self.assume(base, &place.fill(role), Some(&policy), None, true).await
            }
            Site::Member => {
                let hop = self.hop(half).await?;
                self.assume(&hop, &place.fill(ACCESS_ROLE), Some(&policy), None, false).await
            }
        }
    }

    /// The management account's role with nothing but the way into the member account.
    async fn hop(&self, half: Half) -> Result<SdkConfig, Failure> {
        let Opening { base, place, account, .. } = &self.opening;
        if account.is_none() {
            return Err(Failure::defect(
                "a member session was asked for before there is an account",
            ));
        }
        let policy = document(vec![json!({
            "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": place.fill(ACCESS_ROLE)
        })]);
        self.assume(base, &place.fill(management_role(half)), Some(&policy), None, true).await
    }

    /// The session policy: the look half always, the act half unless this is a plan.
    fn policy(&self, site: Site, half: Half) -> Result<Value, Failure> {
        let Opening { permissions, place, mode, .. } = &self.opening;
        let acts = half == Half::Act && *mode != Mode::Plan;
        let policy = session_policy(permissions, site, acts, place);
        match policy["Statement"].as_array() {
            Some(statements) if !statements.is_empty() => Ok(policy),
            _ => Err(Failure::defect(format!("no permission is declared for {site:?} {half:?}"))),
        }
    }

    async fn assume(
        &self,
        from: &SdkConfig,
        role: &str,
        policy: Option<&Value>,
        limit: Option<PolicyDescriptorType>,
        external: bool,
    ) -> Result<SdkConfig, Failure> {
        let ask = |external_id: Option<String>| {
            Client::new(from)
                .assume_role()
                .role_arn(role)
                .role_session_name(format!("landfall-{}", self.opening.tenant))
                .set_policy(policy.map(ToString::to_string))
                .set_policy_arns(limit.clone().map(|limit| vec![limit]))
                .set_external_id(external_id)
                .send()
        };
        let answer = if external {
            self.asked(ask).await?
        } else {
            ask(None).await.map_err(|error| {
                self.refused(role, external, &Refusal::of("sts:AssumeRole", &error))
            })?
        };
        let keys = answer
            .credentials
            .ok_or_else(|| Failure::transient("sts:AssumeRole gave no credentials"))?;
        let credentials = Credentials::from_keys(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
        );
        Ok(from
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(from.region().cloned().unwrap_or_else(|| Region::from_static("us-east-1")))
            .build())
    }

    /// Asks with the external id that is known. A refusal may mean that it was rotated since: then with each value
    /// that the secret has now.
    async fn asked<Asking>(
        &self,
        ask: impl Fn(Option<String>) -> Asking,
    ) -> Result<AssumeRoleOutput, Failure>
    where
        Asking: Future<Output = Result<AssumeRoleOutput, SdkError<AssumeRoleError, HttpResponse>>>,
    {
        let external_id = &self.opening.external_id;
        let known = external_id.known().await?;
        let refusal = match ask(Some(known.current.clone())).await {
            Ok(answer) => return Ok(answer),
            Err(error) => Refusal::of("sts:AssumeRole", &error),
        };
        if !refusal.is_denied() {
            return Err(refusal.failure(TABLE));
        }
        let now = external_id.again(&known).await?;
        for value in now.values().filter(|value| **value != known.current) {
            match ask(Some(value.clone()))
                .await
                .map_err(|error| Refusal::of("sts:AssumeRole", &error))
            {
                Ok(answer) => return Ok(answer),
                Err(refusal) if refusal.is_denied() => {}
                Err(refusal) => return Err(refusal.failure(TABLE)),
            }
        }
        if now.spreads(self.opening.now) {
            let remark = refusal.system_remark();
            return Err(Failure::transient(format!("the external id is new: {remark}")));
        }
        Err(refusal.failure(TABLE))
    }

    fn refused(&self, role: &str, external: bool, refusal: &Refusal) -> Failure {
        let age = self
            .opening
            .account
            .as_ref()
            .and_then(|(_, since)| *since)
            .map(|since| self.opening.now.duration_since(since));
        if !external && refusal.is_denied() {
            let remark = format!("{role}: {}", refusal.system_remark());
            return if age.is_none_or(|age| age < YOUNG) {
                Failure::new(
                    FailureName::NotReady,
                    "AWS has not finished setting the account up; it is tried again.",
                    remark,
                )
            } else {
                Failure::blocked(
                    "Landfall can't enter the account: its access role is missing or does not trust the management account. Ask Landfall's operators to restore the role.",
                    remark,
                )
            };
        }
        refusal.failure(TABLE)
    }
}

const ACCESS_ROLE: &str = "arn:${Partition}:iam::${Account}:role/${AccessRole}";

fn management_role(half: Half) -> &'static str {
    match half {
        Half::Look => "arn:${Partition}:iam::${Management}:role/LandfallRead",
        Half::Act => "arn:${Partition}:iam::${Management}:role/LandfallVend",
    }
}

/// The policy of one session: what is declared for the site, the look half always and the act half if it `acts`.
#[must_use]
pub fn session_policy(permissions: &[Permission], site: Site, acts: bool, place: &Place) -> Value {
    let allowed = permissions
        .iter()
        .filter(|permission| permission.site == site && (acts || permission.half == Half::Look));
    document(statements(allowed, place))
}
