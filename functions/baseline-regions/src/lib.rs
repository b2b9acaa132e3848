//! Brings the account's Regions, and what holds for all of them, to the landing zone's baseline.
//!
//! What it does: works on all Regions at once in one session: encryption of EBS volumes, blocks against public
//! snapshots and images; and once for the account: S3's public access block, the password policy. It asks for opt-in
//! Regions and does not wait for them: AWS takes hours. Default VPCs went in `prepare-account`, while there were
//! permissions for it; one that could not go any more is said here.
//! What it leaves on the record: each change with its Regions; what is awaited, since when.
//! Why repeating is safe: it looks first, every change sets a state, and asking for a Region twice asks once.
//! Whether it can be undone: by a person; what the landing zone no longer names is left as it is.

use std::{collections::BTreeMap, fmt};

use entry::Means;
use futures::{StreamExt, stream};
use region::{Asked, Error, OptIn, Region, Regions, is_enabled_by_default};
use safeguard::Safeguards;
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{Baseline, DefaultVpc, Failure, Pace, PasswordPolicy, VpcFate};

/// Brings the account's Regions, and what holds for all of them, to the baseline.
#[derive(Debug)]
pub struct BaselineRegions {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The clock, and the ledger where slots for opt-in Regions are reserved.
    pub means: Means,
}

/// The account as far as the baseline is about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Which Regions the account can use.
    pub regions: BTreeMap<String, OptIn>,
    /// The enabled Regions that the baseline covers.
    pub readings: BTreeMap<String, Reading>,
    /// Whether S3 blocks public access.
    pub blocks_public_access: bool,
    /// The password policy.
    pub password_policy: Option<PasswordPolicy>,
}

/// One Region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// Its settings, as far as the baseline asks for them; the others count as they should be.
    Settings(Settings),
    /// It does not know the account yet.
    NotReady,
    /// A policy of the organization keeps everybody out of it.
    Closed,
}

/// Whether a Region is as the baseline wants it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "a Region has these four settings")]
pub struct Settings {
    /// New volumes are encrypted.
    pub encrypts_volumes: bool,
    /// They are with the wished key.
    pub uses_key: bool,
    /// Snapshots can't be public.
    pub blocks_snapshots: bool,
    /// Images can't be public.
    pub blocks_images: bool,
}

/// What brings a Region or account to the baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Ask for opt-in Regions.
    Enable(Vec<String>),
    /// Bring one setting about in Regions.
    Set(Setting, Where),
    /// Let nothing in S3 be public.
    BlockPublicAccess,
    /// Set the password policy.
    WritePasswordPolicy(PasswordPolicy),
    /// Regions do not know the account yet.
    AwaitReady(Vec<String>),
    /// What AWS or a person takes longer for.
    AwaitOthers(Vec<String>),
}

/// A setting of a Region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setting {
    /// New volumes are encrypted.
    Encryption,
    /// They are with the wished key.
    Key,
    /// Snapshots can't be public.
    Snapshots,
    /// Images can't be public.
    Images,
}

/// The Regions of a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Where {
    /// All that will be enabled: the account is not there yet.
    Everywhere,
    /// These.
    In(Vec<String>),
}

impl fmt::Display for Where {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => formatter.write_str("every enabled Region"),
            Self::In(regions) => formatter.write_str(&regions.join(", ")),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable(regions) => write!(formatter, "ask for Region {}", regions.join(", ")),
            Self::Set(Setting::Encryption, regions) => {
                write!(formatter, "encrypt EBS volumes by default in {regions}")
            }
            Self::Set(Setting::Key, regions) => {
                write!(formatter, "use the landing zone's key for EBS volumes in {regions}")
            }
            Self::Set(Setting::Snapshots, regions) => {
                write!(formatter, "block public snapshots in {regions}")
            }
            Self::Set(Setting::Images, regions) => {
                write!(formatter, "block public images in {regions}")
            }
            Self::BlockPublicAccess => {
                formatter.write_str("block public access to everything in S3")
            }
            Self::WritePasswordPolicy(policy) => write!(
                formatter,
                "set the password policy: {} characters at least",
                policy.minimum_length
            ),
            Self::AwaitReady(regions) => {
                write!(formatter, "wait until AWS has set the account up in {}", regions.join(", "))
            }
            Self::AwaitOthers(what) => {
                write!(formatter, "go on without what takes longer: {}", what.join("; "))
            }
        }
    }
}

/// How many Regions are asked at once.
const AT_ONCE: usize = 8;
/// Seconds until Regions that did not know the account are asked again.
const READY: u32 = 30;
/// How many Regions AWS enables at once in an account.
const ENABLING: usize = 6;
const ACCOUNTS: &str = "arn:${Partition}:account::${Management}:account/*";

impl Step for BaselineRegions {
    const NAME: &'static str = "baseline-regions";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Member, "account:ListRegions", "*"),
        Permission::look(Site::Member, "ec2:GetEbsDefaultKmsKeyId", "*"),
        Permission::look(Site::Member, "ec2:GetEbsEncryptionByDefault", "*"),
        Permission::look(Site::Member, "ec2:GetImageBlockPublicAccessState", "*"),
        Permission::look(Site::Member, "ec2:GetSnapshotBlockPublicAccessState", "*"),
        Permission::look(Site::Member, "iam:GetAccountPasswordPolicy", "*"),
        Permission::look(Site::Member, "s3:GetAccountPublicAccessBlock", "*"),
        Permission::act(Site::Member, "ec2:EnableEbsEncryptionByDefault", "*"),
        Permission::act(Site::Member, "ec2:EnableImageBlockPublicAccess", "*"),
        Permission::act(Site::Member, "ec2:EnableSnapshotBlockPublicAccess", "*"),
        Permission::act(Site::Member, "ec2:ModifyEbsDefaultKmsKeyId", "*"),
        Permission::act(Site::Member, "iam:UpdateAccountPasswordPolicy", "*"),
        Permission::act(Site::Member, "s3:PutAccountPublicAccessBlock", "*"),
        Permission::act(Site::Management, "account:EnableRegion", ACCOUNTS),
    ];
    /// None before there is an account, or where the landing zone has no baseline.
    type Seen = Option<Seen>;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Option<Seen>, Failure> {
        let baseline = &task.landing_zone.baseline;
        let Some(account) = task.account().filter(|_| !baseline.is_empty()) else {
            return Ok(None);
        };
        let session = self.sessions.look(Site::Member).await?;
        let safeguards = Safeguards::new(&session);
        let is_regional = !baseline.regions.is_empty() || !baseline.opt_in_regions.is_empty();
        let ((regions, readings), blocks_public_access, password_policy) = tokio::try_join!(
            async {
                if !is_regional {
                    return Ok((BTreeMap::new(), BTreeMap::new()));
                }
                regional(&Regions::new(&session), baseline, &task.platform.partition).await
            },
            async {
                if baseline.s3_public_access_block {
                    safeguards.blocks_public_access(account).await
                } else {
                    Ok(false)
                }
            },
            async {
                match baseline.password_policy {
                    Some(_) => safeguards.password_policy().await,
                    None => Ok(None),
                }
            },
        )?;
        Ok(Some(Seen { regions, readings, blocks_public_access, password_policy }))
    }

    fn plan(&self, task: &Task, seen: &Option<Seen>) -> Vec<Change> {
        plan(task, seen.as_ref())
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let baseline = &task.landing_zone.baseline;
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to baseline"))?;
        match change {
            Change::Enable(wanted) => {
                let regions = Regions::new(&self.sessions.act(Site::Management).await?);
                for region in wanted {
                    if !self.has_slot().await? {
                        break;
                    }
                    match regions.enable(account, &region).await? {
                        Asked::Enabling => {}
                        Asked::Busy => break,
                    }
                }
            }
            Change::Set(setting, Where::In(wanted)) => {
                let regions = Regions::new(&self.sessions.act(Site::Member).await?);
                set(&regions, baseline, setting, wanted).await?;
            }
            Change::Set(_, Where::Everywhere) => {
                return Err(Failure::defect("an account that is there has Regions of its own"));
            }
            Change::BlockPublicAccess => {
                let session = self.sessions.act(Site::Member).await?;
                Safeguards::new(&session).block_public_access(account).await?;
            }
            Change::WritePasswordPolicy(policy) => {
                let session = self.sessions.act(Site::Member).await?;
                Safeguards::new(&session).write_password_policy(&policy).await?;
            }
            Change::AwaitReady(regions) => {
                let r#for =
                    format!("AWS to finish setting the account up in {}", regions.join(", "));
                return Ok(Act::Pending {
                    awaited: awaited(task, "region-ready", r#for),
                    seconds: READY,
                });
            }
            Change::AwaitOthers(what) => {
                return Ok(Act::Later { awaited: awaited(task, "region", what.join("; ")) });
            }
        }
        Ok(Act::Done)
    }
}

impl BaselineRegions {
    /// Whether a Region may be asked for now; AWS takes one such call a second from the whole organization.
    async fn has_slot(&self) -> Result<bool, Failure> {
        let now = self.means.now();
        let slot = self.means.ledger.reserve(&Pace::ENABLE_REGION, now).await?;
        let wait = slot.duration_since(now);
        if wait > Pace::ENABLE_REGION.interval {
            return Ok(false);
        }
        self.means.pause(wait).await;
        Ok(true)
    }
}

/// What is awaited, since the first turn that said so.
fn awaited(task: &Task, kind: &str, r#for: String) -> Awaited {
    let id = task.account().map(ToString::to_string).unwrap_or_default();
    let known = task.awaited.as_ref().filter(|awaited| awaited.kind == kind);
    Awaited {
        kind: kind.to_owned(),
        id,
        r#for,
        since: known.map_or(task.now, |awaited| awaited.since),
    }
}

/// Which Regions the account can use, and how those of the baseline are. An account is not asked which it can use where
/// every account can use all that are named, unless one of them does not answer as if it could.
async fn regional(
    regions: &Regions,
    baseline: &Baseline,
    partition: &str,
) -> Result<(BTreeMap<String, OptIn>, BTreeMap<String, Reading>), Failure> {
    if let Some(known) = enabled_by_default(baseline, partition)
        && let Ok(readings) = read(regions, baseline, &known).await
        && readings.values().all(|reading| matches!(reading, Reading::Settings(_)))
    {
        return Ok((known, readings));
    }
    let opted = regions.list().await?;
    let readings = read(regions, baseline, &opted).await?;
    Ok((opted, readings))
}

/// The Regions that the baseline names, if every account can use them all.
fn enabled_by_default(baseline: &Baseline, partition: &str) -> Option<BTreeMap<String, OptIn>> {
    let every = baseline.regions.iter().all(|region| is_enabled_by_default(partition, region));
    let regions = baseline.regions.iter().map(|region| (region.clone(), OptIn::Enabled));
    (every && baseline.opt_in_regions.is_empty()).then(|| regions.collect())
}

/// Reads all Regions of the baseline, several at once.
async fn read(
    regions: &Regions,
    baseline: &Baseline,
    opted: &BTreeMap<String, OptIn>,
) -> Result<BTreeMap<String, Reading>, Failure> {
    let usable = opted.iter().filter(|(_, status)| **status == OptIn::Enabled);
    let covered = usable.filter(|(region, _)| baseline.covers(region));
    let readings: Vec<_> = covered
        .map(|(name, _)| {
            let (region, baseline) = (regions.open(name), baseline.clone());
            async move {
                let settings = settings(&region, &baseline).await;
                (region.name, settings)
            }
        })
        .collect();
    let readings: Vec<_> = stream::iter(readings).buffer_unordered(AT_ONCE).collect().await;
    readings
        .into_iter()
        .map(|(region, settings)| match settings {
            Ok(settings) => Ok((region, Reading::Settings(settings))),
            Err(Error::NotReady(_)) => Ok((region, Reading::NotReady)),
            Err(Error::Closed(failure)) => {
                tracing::warn!(region, %failure, "a policy of the organization closes a Region");
                Ok((region, Reading::Closed))
            }
            Err(error) => Err(error.into()),
        })
        .collect()
}

async fn settings(region: &Region, baseline: &Baseline) -> Result<Settings, Error> {
    let (encrypts_volumes, uses_key, blocks_snapshots, blocks_images) = tokio::try_join!(
        async { if baseline.ebs_encryption { region.encrypts_volumes().await } else { Ok(true) } },
        async {
            match baseline.key_of(&region.name) {
                Some(key) => Ok(region.volume_key().await? == key),
                None => Ok(true),
            }
        },
        async {
            if baseline.snapshot_public_access_block {
                region.blocks_snapshots().await
            } else {
                Ok(true)
            }
        },
        async {
            if baseline.image_public_access_block { region.blocks_images().await } else { Ok(true) }
        },
    )?;
    Ok(Settings { encrypts_volumes, uses_key, blocks_snapshots, blocks_images })
}

/// Brings a setting about in several Regions at once. One that refuses does not keep the others from theirs.
async fn set(
    regions: &Regions,
    baseline: &Baseline,
    setting: Setting,
    wanted: Vec<String>,
) -> Result<(), Failure> {
    let settings: Vec<_> = wanted
        .into_iter()
        .map(|name| {
            let (region, key) = (regions.open(&name), baseline.key_of(&name));
            async move {
                match setting {
                    Setting::Encryption => region.encrypt_volumes().await,
                    Setting::Key => region.use_volume_key(&key.unwrap_or_default()).await,
                    Setting::Snapshots => region.block_snapshots().await,
                    Setting::Images => region.block_images().await,
                }
            }
        })
        .collect();
    let set: Vec<Result<(), Error>> =
        stream::iter(settings).buffer_unordered(AT_ONCE).collect().await;
    set.into_iter().collect::<Result<(), Error>>().map_err(Failure::from)
}

fn plan(task: &Task, seen: Option<&Seen>) -> Vec<Change> {
    let baseline = &task.landing_zone.baseline;
    let Some(seen) = seen else { return before_birth(baseline) };
    let mut changes = Vec::new();
    let status = |region: &String| seen.regions.get(region).copied();
    let enabling = baseline
        .opt_in_regions
        .iter()
        .filter(|region| status(region) == Some(OptIn::Enabling))
        .count();
    let disabled: Vec<String> = baseline
        .opt_in_regions
        .iter()
        .filter(|region| status(region) == Some(OptIn::Disabled))
        .take(ENABLING.saturating_sub(enabling))
        .cloned()
        .collect();
    if !disabled.is_empty() {
        changes.push(Change::Enable(disabled));
    }
    for setting in [Setting::Encryption, Setting::Key, Setting::Snapshots, Setting::Images] {
        let lacking: Vec<String> = seen
            .readings
            .iter()
            .filter(|(_, reading)| lacks(reading, setting))
            .map(|(region, _)| region.clone())
            .collect();
        if !lacking.is_empty() {
            changes.push(Change::Set(setting, Where::In(lacking)));
        }
    }
    if baseline.s3_public_access_block && !seen.blocks_public_access {
        changes.push(Change::BlockPublicAccess);
    }
    if let Some(policy) = &baseline.password_policy
        && seen.password_policy.as_ref() != Some(policy)
    {
        changes.push(Change::WritePasswordPolicy(policy.clone()));
    }
    let unready: Vec<String> = seen
        .readings
        .iter()
        .filter(|(_, reading)| **reading == Reading::NotReady)
        .map(|(region, _)| region.clone())
        .collect();
    if !unready.is_empty() {
        changes.push(Change::AwaitReady(unready));
    }
    let others = others(task, seen);
    if !others.is_empty() {
        changes.push(Change::AwaitOthers(others));
    }
    changes
}

fn lacks(reading: &Reading, setting: Setting) -> bool {
    let Reading::Settings(settings) = reading else { return false };
    !match setting {
        Setting::Encryption => settings.encrypts_volumes,
        Setting::Key => settings.uses_key,
        Setting::Snapshots => settings.blocks_snapshots,
        Setting::Images => settings.blocks_images,
    }
}

/// What will be done in an account that is not there yet.
fn before_birth(baseline: &Baseline) -> Vec<Change> {
    let regions = if baseline.is_everywhere() {
        Where::Everywhere
    } else {
        Where::In(baseline.regions.clone())
    };
    let wished = [
        (baseline.ebs_encryption, Change::Set(Setting::Encryption, regions.clone())),
        (baseline.ebs_key.is_some(), Change::Set(Setting::Key, regions.clone())),
        (baseline.snapshot_public_access_block, Change::Set(Setting::Snapshots, regions.clone())),
        (baseline.image_public_access_block, Change::Set(Setting::Images, regions)),
        (baseline.s3_public_access_block, Change::BlockPublicAccess),
    ];
    let enable = (!baseline.opt_in_regions.is_empty())
        .then(|| Change::Enable(baseline.opt_in_regions.clone()));
    let policy = baseline.password_policy.clone().map(Change::WritePasswordPolicy);
    enable
        .into_iter()
        .chain(wished.into_iter().filter(|(wished, _)| *wished).map(|(_, change)| change))
        .chain(policy)
        .collect()
}

/// What AWS or a person must do, in words for both.
fn others(task: &Task, seen: &Seen) -> Vec<String> {
    let baseline = &task.landing_zone.baseline;
    let is_enabled = |region: &String| seen.regions.get(region) == Some(&OptIn::Enabled);
    let known = |region: &String| seen.regions.contains_key(region);
    let asked: Vec<&str> = baseline
        .opt_in_regions
        .iter()
        .filter(|region| known(region) && !is_enabled(region))
        .map(String::as_str)
        .collect();
    let mut others = Vec::new();
    if !asked.is_empty() {
        others.push(format!("AWS to enable Region {}", asked.join(", ")));
    }
    let named = baseline.regions.iter().filter(|region| *region != Baseline::ALL);
    for region in named.chain(baseline.opt_in_regions.iter().filter(|region| !known(region))) {
        if !known(region) {
            others.push(format!(
                "an operator: there is no Region {region} in this partition; take it out of the landing zone"
            ));
        } else if !is_enabled(region) && !baseline.opt_in_regions.contains(region) {
            others.push(format!(
                "an operator: Region {region} is not enabled; name it under optInRegions, or not at all"
            ));
        } else if seen.readings.get(region) == Some(&Reading::Closed) {
            others.push(format!(
                "an operator: a policy of the organization closes Region {region}; take it out of the landing zone, or open it"
            ));
        }
    }
    let stuck = task.tenant.default_vpcs.iter().filter(|(region, record)| {
        record.fate == VpcFate::NeedsWidening && baseline.covers(region)
    });
    if baseline.default_vpc == DefaultVpc::Delete {
        others.extend(stuck.map(|(region, _)| {
            format!(
                "an operator: the empty default VPC of {region} needs widening, since the access role may delete none any more; delete it by hand"
            )
        }));
    }
    others
}

#[cfg(test)]
mod tests;
