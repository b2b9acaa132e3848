//! What can be asked of Landfall, in its own words.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use tenant::{
    AccountId, AwaitedView, BreakerWish, Claim, ConfigurationEntry, ConfigurationPlanView,
    DiscardWish, Document, HistoryPage, HistoryView, Kind, LetterView, LettersView, LimitsView,
    Name, Page, PlanView, Platform, RedrivenView, RollOutView, RollOutWish, Spec, SurveyView,
    TenantSpec, TenantView, Unmanaged,
};
use uuid::Uuid;

use super::{Answer, Api, CHECKS};
use crate::exit::{Exit, Trouble};

/// What became of a document that was applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Applied {
    /// It is new.
    Created,
    /// It differs from what was there.
    Changed,
    /// It is as it was.
    Unchanged,
}

impl Applied {
    /// The outcome as users read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }

    fn of(answer: &Answer) -> Self {
        match answer.status {
            StatusCode::CREATED => Self::Created,
            StatusCode::ACCEPTED => Self::Changed,
            _ => Self::Unchanged,
        }
    }
}

/// Reads a tenant's name as users write it.
pub fn name(text: &str) -> Result<Name, Trouble> {
    Name::parse(text).ok_or_else(|| {
        Trouble::new(
            Exit::BadInput,
            format!("`{text}` is no tenant's name: write <workspace>.<project>.<platform>"),
        )
    })
}

/// A text as it stands in a query.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn tenant_path(name: &Name) -> String {
    format!("/workspaces/{}/projects/{}/tenants/{}", name.workspace, name.project, name.platform)
}

impl Api {
    /// Applies a tenant's wish.
    pub async fn put_tenant(
        &self,
        document: &Document<TenantSpec>,
        if_generation: Option<u64>,
    ) -> Result<(Applied, TenantView), Trouble> {
        let headers: Vec<_> = if_generation
            .map(|generation| ("if-match", format!("\"{generation}\"")))
            .into_iter()
            .collect();
        let path = tenant_path(&document.metadata.name());
        let answer = self.send(Method::PUT, &path, Some(body(document)?), &headers).await?;
        Ok((Applied::of(&answer), answer.read()?))
    }

    /// One tenant.
    pub async fn tenant(&self, name: &Name, operator: bool) -> Result<TenantView, Trouble> {
        let prefix = if operator { "/operator" } else { "" };
        self.get(&format!("{prefix}{}", tenant_path(name))).await?.read()
    }

    /// All tenants of a workspace; without one, all that there are, which operators may ask for. Living ones, or those
    /// that are deleted.
    pub async fn tenants(
        &self,
        workspace: Option<&str>,
        deleted: bool,
    ) -> Result<Vec<TenantView>, Trouble> {
        let path = match workspace {
            Some(workspace) => format!("/workspaces/{workspace}/tenants"),
            None => "/operator/tenants".to_owned(),
        };
        let path = if deleted { format!("{path}?deleted=true") } else { path };
        self.all(&path).await.map_err(|trouble| match workspace {
            None if trouble.exit == Exit::NotAllowed => Trouble::new(
                trouble.exit,
                format!("{trouble}: only operators see all tenants; name a --workspace"),
            ),
            _ => trouble,
        })
    }

    /// A tenant's history.
    pub async fn history(&self, name: &Name) -> Result<HistoryView, Trouble> {
        self.get(&format!("{}/history", tenant_path(name))).await?.read()
    }

    /// A part of the history of everything, as `query` narrows it.
    pub async fn all_history(
        &self,
        query: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<HistoryPage, Trouble> {
        let after = after.map(|after| ("after", after));
        let pairs = query.iter().copied().chain(after);
        let pairs = pairs.map(|(name, value)| format!("{name}={}", escaped(value)));
        let pairs: Vec<String> = pairs.collect();
        self.get(&format!("/operator/history?{}", pairs.join("&"))).await?.read()
    }

    /// Asks for a replication now.
    pub async fn replicate(&self, name: &Name) -> Result<TenantView, Trouble> {
        let path = format!("{}/replications", tenant_path(name));
        self.send(Method::POST, &path, None, &[]).await?.read()
    }

    /// Answers what a tenant waits for: a code, or the wish for another one.
    pub async fn answer(&self, name: &Name, otp: Option<&str>) -> Result<TenantView, Trouble> {
        let path = format!("{}/answers", tenant_path(name));
        let answer = match otp {
            Some(otp) => serde_json::json!({ "otp": otp }),
            None => serde_json::json!({ "resend": true }),
        };
        let body = answer.to_string().into_bytes();
        self.send(Method::POST, &path, Some(body), &[]).await?.read()
    }

    /// Marks a tenant for deletion.
    pub async fn delete(&self, name: &Name) -> Result<TenantView, Trouble> {
        self.send(Method::DELETE, &tenant_path(name), None, &[]).await?.read()
    }

    /// Marks all tenants of a project for deletion.
    pub async fn delete_project(
        &self,
        workspace: &str,
        project: &str,
    ) -> Result<Vec<TenantView>, Trouble> {
        let path = format!("/workspaces/{workspace}/projects/{project}");
        let page: Page<_> = self.send(Method::DELETE, &path, None, &[]).await?.read()?;
        Ok(page.items)
    }

    /// Approves a deletion, or declines it.
    pub async fn decide(
        &self,
        name: &Name,
        approves: bool,
        comment: &str,
    ) -> Result<TenantView, Trouble> {
        let verb = if approves { "approve" } else { "decline" };
        let path = format!("{}/{verb}", tenant_path(name));
        let body = serde_json::json!({ "comment": comment }).to_string().into_bytes();
        self.send(Method::POST, &path, Some(body), &[]).await?.read()
    }

    /// Forgets a tenant and leaves its account as it is.
    pub async fn purge(&self, name: &Name) -> Result<TenantView, Trouble> {
        let path = format!("/operator{}/purge", tenant_path(name));
        self.send(Method::POST, &path, None, &[]).await?.read()
    }

    /// Moves a tenant to another project.
    pub async fn post_move(
        &self,
        name: &Name,
        to: &Name,
    ) -> Result<(Applied, TenantView), Trouble> {
        let path = format!("/operator{}/move", tenant_path(name));
        let answer = self.send(Method::POST, &path, Some(destination(to)), &[]).await?;
        Ok((Applied::of(&answer), answer.read()?))
    }

    /// Asks what moving a tenant would change.
    pub async fn put_move_plan(&self, name: &Name, to: &Name) -> Result<PlanView, Trouble> {
        let path = format!("/operator{}/move/plan", tenant_path(name));
        self.send(Method::PUT, &path, Some(destination(to)), &[]).await?.read()
    }

    /// Asks what applying a wish would change.
    pub async fn put_plan(&self, document: &Document<TenantSpec>) -> Result<PlanView, Trouble> {
        let name = document.metadata.name();
        let path = format!(
            "/workspaces/{}/projects/{}/plans/{}",
            name.workspace, name.project, name.platform
        );
        self.send(Method::PUT, &path, Some(body(document)?), &[]).await?.read()
    }

    /// A plan as far as it is made.
    pub async fn plan(&self, name: &Name, id: Uuid) -> Result<PlanView, Trouble> {
        let Name { workspace, project, platform } = name;
        self.get(&format!("/workspaces/{workspace}/projects/{project}/plans/{platform}/{id}"))
            .await?
            .read()
    }

    /// What holds tenants back, on each platform.
    pub async fn limits(&self) -> Result<Vec<LimitsView>, Trouble> {
        self.all("/operator/limits").await
    }

    /// Opens or closes a platform's breaker or pauses the platform, if its breaker is still the version that was seen.
    pub async fn put_breaker(
        &self,
        platform: &str,
        wish: &BreakerWish,
        seen: Option<u64>,
    ) -> Result<LimitsView, Trouble> {
        let body = serde_json::to_vec(wish)
            .map_err(|error| Trouble::new(Exit::BadInput, error.to_string()))?;
        let path = format!("/operator/limits/{platform}/breaker");
        let headers = seen.map(|version| ("if-match", format!("\"{version}\"")));
        self.send(Method::PUT, &path, Some(body), headers.as_slice()).await?.read()
    }

    /// How far the last change of each landing zone and platform has come.
    pub async fn roll_outs(&self) -> Result<Vec<RollOutView>, Trouble> {
        self.all("/operator/rollouts").await
    }

    /// Stops, resumes or abandons a roll-out.
    pub async fn put_roll_out(
        &self,
        kind: Kind,
        name: &str,
        wish: &RollOutWish,
    ) -> Result<RollOutView, Trouble> {
        let body = serde_json::to_vec(wish)
            .map_err(|error| Trouble::new(Exit::BadInput, error.to_string()))?;
        let path = format!("/operator/rollouts/{}/{name}", kept_under(kind));
        self.send(Method::PUT, &path, Some(body), &[]).await?.read()
    }

    /// What surveys of each platform's organization found.
    pub async fn surveys(&self) -> Result<Vec<SurveyView>, Trouble> {
        self.all("/operator/surveys").await
    }

    /// Asks for a survey of a platform's organization.
    pub async fn post_survey(&self, platform: &str) -> Result<SurveyView, Trouble> {
        self.send(Method::POST, &format!("/operator/surveys/{platform}"), None, &[]).await?.read()
    }

    /// What all tenants wait for.
    pub async fn awaited(&self) -> Result<Vec<AwaitedView>, Trouble> {
        self.all("/operator/awaited").await
    }

    /// Events that could not be delivered or handled.
    pub async fn letters(&self) -> Result<LettersView, Trouble> {
        self.get("/operator/letters").await?.read()
    }

    /// Sends a dead letter to its function again.
    pub async fn redrive(&self, id: &str) -> Result<LetterView, Trouble> {
        let path = format!("/operator/letters/{}/redrive", escaped(id));
        self.send(Method::POST, &path, None, &[]).await?.read()
    }

    /// Sends dead letters to their functions again, as many as Landfall takes at once.
    pub async fn redrive_some(&self) -> Result<RedrivenView, Trouble> {
        self.send(Method::POST, "/operator/letters/redrive", None, &[]).await?.read()
    }

    /// Throws a dead letter away.
    pub async fn discard(&self, id: &str, wish: &DiscardWish) -> Result<LetterView, Trouble> {
        let body = serde_json::to_vec(wish)
            .map_err(|error| Trouble::new(Exit::BadInput, error.to_string()))?;
        let path = format!("/operator/letters/{}/discard", escaped(id));
        self.send(Method::POST, &path, Some(body), &[]).await?.read()
    }

    /// The accounts that are no tenant's.
    pub async fn unmanaged(&self) -> Result<Vec<Unmanaged>, Trouble> {
        self.all("/operator/unmanaged").await
    }

    /// The tags of an account that is no tenant's.
    pub async fn unmanaged_tags(
        &self,
        platform: &str,
        account: &AccountId,
    ) -> Result<BTreeMap<String, String>, Trouble> {
        #[derive(Deserialize)]
        struct Tagged {
            tags: BTreeMap<String, String>,
        }
        let path = format!("/operator/unmanaged/{platform}/{account}/tags");
        let Tagged { tags } = self.get(&path).await?.read()?;
        Ok(tags)
    }

    /// Makes a tenant of an account that was there before.
    pub async fn put_adoption(
        &self,
        account: &AccountId,
        document: &Document<TenantSpec>,
    ) -> Result<(Applied, TenantView), Trouble> {
        let path = format!("/operator/adoptions/{}/{account}", document.metadata.platform);
        let answer = self.send(Method::PUT, &path, Some(body(document)?), &[]).await?;
        Ok((Applied::of(&answer), answer.read()?))
    }

    /// Asks what adopting an account would change in it.
    pub async fn put_adoption_plan(
        &self,
        account: &AccountId,
        document: &Document<TenantSpec>,
    ) -> Result<PlanView, Trouble> {
        let path = format!("/operator/adoptions/{}/{account}/plan", document.metadata.platform);
        self.send(Method::PUT, &path, Some(body(document)?), &[]).await?.read()
    }

    /// The accounts of a platform's organization, and whose they say that they are.
    pub async fn claims(&self, platform: &str) -> Result<Vec<Claim>, Trouble> {
        self.all(&format!("/operator/claims/{platform}")).await
    }

    /// Restores the tenant of an account.
    pub async fn put_restoration(
        &self,
        account: &AccountId,
        document: &Document<TenantSpec>,
    ) -> Result<(Applied, TenantView), Trouble> {
        let path = format!("/operator/restorations/{}/{account}", document.metadata.platform);
        let answer = self.send(Method::PUT, &path, Some(body(document)?), &[]).await?;
        Ok((Applied::of(&answer), answer.read()?))
    }

    /// The tenant as it would be restored.
    pub async fn check_restoration(
        &self,
        account: &AccountId,
        document: &Document<TenantSpec>,
    ) -> Result<TenantView, Trouble> {
        let path = format!("/operator/restorations/{}/{account}/check", document.metadata.platform);
        self.send(Method::PUT, &path, Some(body(document)?), &[]).await?.read()
    }

    /// Applies a platform or landing zone.
    pub async fn put_config<S: Spec>(
        &self,
        name: &str,
        document: &Document<S>,
    ) -> Result<Applied, Trouble> {
        let path = format!("/{}/{name}", collection::<S>());
        let answer = self.send(Method::PUT, &path, Some(body(document)?), &[]).await?;
        Ok(Applied::of(&answer))
    }

    /// Checks a platform or landing zone as if it were applied together with a platform.
    pub async fn check<S: Spec>(
        &self,
        document: &Document<S>,
        platform: Option<&Document<Platform>>,
    ) -> Result<(), Trouble> {
        let check = serde_json::json!({ "document": document, "platform": platform });
        let body = serde_json::to_vec(&check)
            .map_err(|error| Trouble::new(Exit::BadInput, error.to_string()))?;
        self.send(Method::POST, CHECKS, Some(body), &[]).await.map(|_| ())
    }

    /// Asks which tenants a platform or landing zone would touch.
    pub async fn put_configuration_plan<S: Spec>(
        &self,
        name: &str,
        document: &Document<S>,
    ) -> Result<ConfigurationPlanView, Trouble> {
        let path = format!("/operator/plans/{}/{name}", collection::<S>());
        self.send(Method::PUT, &path, Some(body(document)?), &[]).await?.read()
    }

    /// The plan of a configuration as far as it is made.
    pub async fn configuration_plan(&self, id: Uuid) -> Result<ConfigurationPlanView, Trouble> {
        self.get(&format!("/operator/plans/{id}")).await?.read()
    }

    /// One platform or landing zone; none if there is no such.
    pub async fn config<S: Spec>(&self, name: &str) -> Result<Option<Document<S>>, Trouble> {
        match self.get(&format!("/{}/{name}", collection::<S>())).await {
            Ok(answer) => answer.read().map(Some),
            Err(trouble) if trouble.exit == Exit::NotFound => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// All platforms or landing zones.
    pub async fn configs<S: Spec>(&self) -> Result<Vec<Document<S>>, Trouble> {
        self.all(&format!("/{}", collection::<S>())).await
    }

    /// Deletes a platform or landing zone that nobody uses.
    pub async fn delete_config<S: Spec>(&self, name: &str) -> Result<ConfigurationEntry, Trouble> {
        let path = format!("/{}/{name}", collection::<S>());
        self.send(Method::DELETE, &path, None, &[]).await?.read()
    }

    /// What happened to a platform or landing zone.
    pub async fn configuration_history(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Vec<ConfigurationEntry>, Trouble> {
        self.all(&format!("/{}/{name}/history", kept_under(kind))).await
    }

    async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Trouble> {
        let Page { items: mut all, mut next } = self.get(path).await?.read()?;
        while let Some(after) = next {
            let joint = if path.contains('?') { '&' } else { '?' };
            let mut page: Page<T> =
                self.get(&format!("{path}{joint}after={after}")).await?.read()?;
            all.append(&mut page.items);
            next = page.next;
        }
        Ok(all)
    }
}

/// Where the API keeps a kind of configuration.
fn collection<S: Spec>() -> &'static str {
    kept_under(S::KIND)
}

fn kept_under(kind: Kind) -> &'static str {
    match kind {
        Kind::Platform => "platforms",
        Kind::LandingZone => "landing-zones",
        Kind::Tenant => "tenants",
    }
}

fn destination(to: &Name) -> Vec<u8> {
    let to = serde_json::json!({ "workspace": to.workspace, "project": to.project });
    to.to_string().into_bytes()
}

fn body<S: Spec>(document: &Document<S>) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(document).map_err(|error| Trouble::new(Exit::BadInput, error.to_string()))
}
