//! Control Tower: what must be there before it can enrol an account.
//!
//! Asked for each platform that names it, in its home Region: Control Tower and its units for both ways, and for
//! Account Factory the portfolio, the product, an active version, a way for our role and its rights. That no service
//! control policy keeps Control Tower's role out of an account is decided here, by the policies as they are attached.

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use control_tower::ControlTower;
use policy::Context;
use refusal::Refusal;
use tenant::{AccountFactory, Enrolment, LandingZone, Platform};

use super::identity::{Deed, Role, administrator_may, control_policies};
use super::{Check, Patient, Unanswered, listed};

/// The role of ours that asks Account Factory.
const ROLE: &str = "LandfallVend";
/// The rule of infra/accounts/management-events.yaml.
const RULE: &str = "landfall-control-tower-events";
/// What Control Tower records by itself, so that a stack of ours must not.
const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
/// What Account Factory does with the rights of whoever asks it.
const RIGHTS: [&str; 6] = [
    "servicecatalog:ProvisionProduct",
    "servicecatalog:UpdateProvisionedProduct",
    "servicecatalog:TerminateProvisionedProduct",
    "controltower:CreateManagedAccount",
    "controltower:DescribeManagedAccount",
    "controltower:DeregisterManagedAccount",
];
/// What Control Tower's role does in an account, as far as service control policies like to forbid it.
const WORKS: [(&str, &str); 4] = [
    ("iam:CreateRole", "arn:${Partition}:iam::${Account}:role/aws-controltower-ConfigRecorderRole"),
    ("cloudformation:CreateStack", "*"),
    ("config:PutConfigurationRecorder", "*"),
    (
        "sns:CreateTopic",
        "arn:${Partition}:sns:${Region}:${Account}:aws-controltower-SecurityNotifications",
    ),
];
/// The role that Control Tower takes in an account.
const TOWER: &str = "arn:${Partition}:iam::${Account}:role/AWSControlTowerExecution";
/// An account that nobody has, to ask for.
const ANY_ACCOUNT: &str = "000000000000";

/// All checks of all platforms that name Control Tower.
pub async fn all(patient: &Patient) -> Result<Vec<Check>, Unanswered> {
    let Some(api) = &patient.api else { return Ok(vec![]) };
    // Whether the API answers is a check of its own.
    let Ok(platforms) = api.configs::<Platform>().await else { return Ok(vec![]) };
    let zones = api.configs::<LandingZone>().await.unwrap_or_default();
    let mut checks = Vec::new();
    for platform in platforms {
        let Some(wished) = &platform.spec.control_tower else { continue };
        let enrolling: Vec<(&str, &LandingZone)> = zones
            .iter()
            .filter(|zone| zone.spec.platform == platform.metadata.name && zone.spec.enrol)
            .map(|zone| (zone.metadata.name.as_str(), &zone.spec))
            .collect();
        let home = Home {
            patient,
            platform: &platform.spec,
            region: &wished.home_region,
            session: patient
                .management
                .to_builder()
                .region(Region::new(wished.home_region.clone()))
                .build(),
        };
        checks.push(home.control_tower(&wished.enrolment).await?);
        checks.push(home.events().await?);
        checks.push(home.prerequisites(&enrolling).await?);
        if let Enrolment::AccountFactory(factory) = &wished.enrolment {
            checks.extend(home.account_factory(factory).await?);
        }
        checks.push(home.service_control_policies(&enrolling).await?);
    }
    Ok(checks)
}

/// Control Tower's home Region, seen from the management account.
struct Home<'a> {
    patient: &'a Patient,
    platform: &'a Platform,
    region: &'a str,
    session: SdkConfig,
}

impl Home<'_> {
    /// Control Tower is set up and active, and enrols what is moved where that is wished.
    async fn control_tower(&self, enrolment: &Enrolment) -> Result<Check, Unanswered> {
        const CHECK: &str = "Control Tower";
        let found = ControlTower::new(&self.session, self.region).landing_zone().await;
        let found = found.map_err(|failure| Unanswered(failure.system_remark))?;
        let Some(zone) = found else {
            return Ok(Check::failing(
                CHECK,
                format!("it was never set up in {}", self.region),
                "Set it up there, or write its home Region as the platform's controlTower.homeRegion.",
            ));
        };
        if zone.status != "ACTIVE" {
            return Ok(Check::failing(
                CHECK,
                format!("landing zone {} is {}", zone.version, zone.status),
                "Wait until it is ACTIVE; where it FAILED, repair it in Control Tower's settings.",
            ));
        }
        if *enrolment == Enrolment::Auto && !zone.enrols_what_is_moved {
            return Ok(Check::failing(
                CHECK,
                format!("landing zone {} does not enrol what is moved into a unit", zone.version),
                "Turn on auto-enrollment in its settings (version 3.1 or newer), or name an accountFactory in the platform's controlTower.enrolment.",
            ));
        }
        Ok(Check::ok(CHECK, format!("landing zone {} is active in {}", zone.version, self.region)))
    }

    /// What Control Tower does is forwarded: it tells so in its home Region only.
    async fn events(&self) -> Result<Check, Unanswered> {
        let client = aws_sdk_eventbridge::Client::new(&self.session);
        let rules = client.list_rules().name_prefix(RULE).send().await;
        let rules = rules.map_err(|error| Refusal::of("events:ListRules", &error))?;
        let there = rules.rules().iter().any(|rule| {
            rule.name() == Some(RULE)
                && rule.state().is_some_and(|state| state.as_str() == "ENABLED")
        });
        let (region, found) = (self.region, if there { "forwards" } else { "is missing" });
        Ok(Check::when(
            "its events",
            there,
            format!("{RULE} {found} in {region}"),
            format!(
                "Deploy infra/accounts/management-events.yaml in the management account's {region}."
            ),
        ))
    }

    /// The units of landing zones that enrol are registered, and no stack set of theirs is in Control Tower's way.
    async fn prerequisites(&self, zones: &[(&str, &LandingZone)]) -> Result<Check, Unanswered> {
        const CHECK: &str = "enrolment";
        let tower = ControlTower::new(&self.session, self.region);
        let organization = organization::Organization::new(&self.session);
        let told = |failure: tenant::Failure| Unanswered(failure.system_remark);
        for (name, zone) in zones {
            let unit = &zone.organizational_unit;
            let known = organization.unit(unit).await.map_err(told)?;
            let registered = match known {
                Some(known) => tower.registers(&known.arn).await.map_err(told)?,
                None => false,
            };
            if !registered {
                return Ok(Check::failing(
                    CHECK,
                    format!("{unit} of landing zone {name} is not registered with Control Tower"),
                    "Register it in Control Tower, or write another organizationalUnit into the landing zone.",
                ));
            }
            if let Some(set) = self.recording(zone).await? {
                return Ok(Check::failing(
                    CHECK,
                    format!(
                        "{set} of landing zone {name} records configurations, as Control Tower does"
                    ),
                    "Take it out of the landing zone: an account has room for one recorder in a Region.",
                ));
            }
        }
        let names: Vec<&str> = zones.iter().map(|(name, _)| *name).collect();
        let found = match names.len() {
            0 => "no landing zone enrols its accounts".to_owned(),
            _ => format!("the units of {} are registered", listed(&names)),
        };
        Ok(Check::ok(CHECK, found))
    }

    /// The first stack set of a landing zone that brings a recorder of its own.
    async fn recording(&self, zone: &LandingZone) -> Result<Option<String>, Unanswered> {
        let client = aws_sdk_cloudformation::Client::new(&self.patient.automation);
        for set in &zone.stack_sets {
            match client.describe_stack_set().stack_set_name(&set.name).send().await {
                Ok(answer) => {
                    let template = answer.stack_set.and_then(|set| set.template_body);
                    if template.is_some_and(|template| template.contains(RECORDER)) {
                        return Ok(Some(set.name.clone()));
                    }
                }
                Err(error) if error.code() == Some("StackSetNotFoundException") => {}
                Err(error) => {
                    return Err(Refusal::of("cloudformation:DescribeStackSet", &error).into());
                }
            }
        }
        Ok(None)
    }

    /// The portfolio, the product in it, an active version, a way for our role, and its rights.
    async fn account_factory(&self, factory: &AccountFactory) -> Result<Vec<Check>, Unanswered> {
        let id = &factory.product_id;
        let client = aws_sdk_servicecatalog::Client::new(&self.session);
        let mut checks = Vec::new();
        match client.describe_product_as_admin().id(id).send().await {
            Ok(_) => checks.push(Check::ok("product", format!("{id} is there"))),
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                return Ok(vec![Check::failing(
                    "product",
                    format!("there is no {id} in {}", self.region),
                    "Write the id of `AWS Control Tower Account Factory`: aws servicecatalog search-products-as-admin.",
                )]);
            }
            Err(error) => {
                return Err(Refusal::of("servicecatalog:DescribeProductAsAdmin", &error).into());
            }
        }
        let versions = client.list_provisioning_artifacts().product_id(id).send().await;
        let versions = versions
            .map_err(|error| Refusal::of("servicecatalog:ListProvisioningArtifacts", &error))?;
        let versions = versions.provisioning_artifact_details.unwrap_or_default();
        let active: Vec<&str> = versions
            .iter()
            .filter(|version| version.active() == Some(true))
            .filter_map(|version| version.name())
            .collect();
        checks.push(Check::when(
            "active version",
            !active.is_empty(),
            if active.is_empty() {
                format!("{id} has no active version")
            } else {
                format!("{id} has version {}", listed(&active))
            },
            "Activate a version of the product in Service Catalog, or update Control Tower's landing zone.",
        ));
        let portfolios = client.list_portfolios_for_product().product_id(id).send().await;
        let portfolios = portfolios
            .map_err(|error| Refusal::of("servicecatalog:ListPortfoliosForProduct", &error))?;
        let portfolios = portfolios.portfolio_details.unwrap_or_default();
        let ids: Vec<&str> = portfolios.iter().filter_map(|portfolio| portfolio.id()).collect();
        checks.push(Check::when(
            "portfolio",
            !ids.is_empty(),
            if ids.is_empty() {
                format!("{id} is in no portfolio")
            } else {
                format!("{id} is in {}", listed(&ids))
            },
            "Repair Control Tower's landing zone, which brings the Account Factory portfolio.",
        ));
        if let Some(portfolio) = ids.first() {
            checks.push(self.launch_path(&client, portfolio).await?);
        }
        checks.push(self.rights().await?);
        Ok(checks)
    }

    /// Our role is one of the portfolio's principals.
    async fn launch_path(
        &self,
        client: &aws_sdk_servicecatalog::Client,
        portfolio: &str,
    ) -> Result<Check, Unanswered> {
        let role = self.role_arn();
        let mut pages =
            client.list_principals_for_portfolio().portfolio_id(portfolio).into_paginator().send();
        let mut may = false;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                Refusal::of("servicecatalog:ListPrincipalsForPortfolio", &error)
            })?;
            let mut principals = page.principals().iter();
            may |= principals.any(|one| one.principal_arn().is_some_and(|arn| names(arn, &role)));
        }
        let found = if may { "may" } else { "may not" };
        Ok(Check::when(
            "launch path",
            may,
            format!("{ROLE} {found} launch what is in {portfolio}"),
            format!(
                "aws servicecatalog associate-principal-with-portfolio --portfolio-id {portfolio} --principal-type IAM --principal-arn {role}"
            ),
        ))
    }

    /// Our role may ask Account Factory, which works with its rights.
    async fn rights(&self) -> Result<Check, Unanswered> {
        const CHECK: &str = "rights";
        let remedy =
            "Deploy infra/accounts/management.yaml of this version in the management account.";
        let Some(role) = Role::read(&self.session, ROLE).await? else {
            return Ok(Check::failing(CHECK, format!("{ROLE} is missing"), remedy));
        };
        let Platform { partition, management_account, .. } = self.platform;
        let product = format!(
            "arn:{partition}:catalog:{}:{management_account}:product/prod-any",
            self.region
        );
        let context = Context::default();
        let mut missing = Vec::new();
        for action in RIGHTS {
            let of_product = action == "servicecatalog:ProvisionProduct";
            let deed = Deed {
                role: &role.arn,
                action,
                resource: if of_product { &product } else { "*" },
                organization: "",
                context: &context,
            };
            if !role.may(&deed, &[])? {
                missing.push(action);
            }
        }
        let found = match missing.len() {
            0 => format!("{ROLE} may ask Account Factory"),
            _ => format!("{ROLE} lacks {}", listed(&missing)),
        };
        Ok(Check::when(CHECK, missing.is_empty(), found, remedy))
    }

    /// No service control policy over the landing zones' units keeps Control Tower's role from its work, or the access
    /// role from making that role.
    async fn service_control_policies(
        &self,
        zones: &[(&str, &LandingZone)],
    ) -> Result<Check, Unanswered> {
        const CHECK: &str = "execution role";
        let context = Context::default().with("aws:RequestedRegion", self.region);
        for (name, zone) in zones {
            let unit = &zone.organizational_unit;
            let scps = control_policies(&self.session, unit).await?;
            let making = zone
                .account_factory(self.platform)
                .map(|_| (self.platform.access_role.as_str(), ("iam:CreateRole", TOWER)));
            let works = WORKS.iter().map(|work| ("AWSControlTowerExecution", *work));
            for (role, (action, resource)) in making.into_iter().chain(works) {
                let deed = Deed {
                    role: &self.fill(&format!("arn:${{Partition}}:iam::${{Account}}:role/{role}")),
                    action,
                    resource: &self.fill(resource),
                    organization: "",
                    context: &context,
                };
                if !administrator_may(&deed, &scps)? {
                    return Ok(Check::failing(
                        CHECK,
                        format!(
                            "a service control policy over {unit} of landing zone {name} denies {action} to {role}"
                        ),
                        format!("Except arn:*:iam::*:role/{role} in that policy."),
                    ));
                }
            }
        }
        Ok(Check::ok(CHECK, "no service control policy keeps Control Tower out of an account"))
    }

    fn fill(&self, text: &str) -> String {
        text.replace("${Partition}", &self.platform.partition)
            .replace("${Region}", self.region)
            .replace("${Account}", ANY_ACCOUNT)
    }

    fn role_arn(&self) -> String {
        let Platform { partition, management_account, .. } = self.platform;
        format!("arn:{partition}:iam::{management_account}:role/{ROLE}")
    }
}

/// Whether a principal of a portfolio, which may be a pattern, names a role.
fn names(principal: &str, role: &str) -> bool {
    let account_of = |arn: &str| arn.split(':').nth(4).unwrap_or_default().to_owned();
    let path_of = |arn: &str| arn.splitn(6, ':').nth(5).unwrap_or_default().to_owned();
    let (pattern, path) = (path_of(principal), path_of(role));
    let same_account = ["", &account_of(role)].contains(&account_of(principal).as_str());
    let matches = match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.starts_with(before) && path.ends_with(after),
    };
    same_account && matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_names_a_role_by_its_arn_or_by_a_pattern() {
        let role = "arn:aws:iam::111111111111:role/LandfallVend";
        assert!(names(role, role));
        assert!(names("arn:aws:iam:::role/Landfall*", role));
        assert!(!names("arn:aws:iam::222222222222:role/LandfallVend", role));
        assert!(!names("arn:aws:iam::111111111111:role/Other", role));
    }
}
