//! How a change of configuration reaches the tenants that are there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a change reaches the tenants that are there: in waves, each begun once all runs of the one before have ended.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RollOutRules {
    /// Tenants of the first wave: a number, or a share of all that the change concerns, such as `5%`.
    #[serde(default = "one")]
    pub first_wave: Amount,
    /// Tenants of each further wave: a number, or a share.
    #[serde(default = "quarter")]
    pub wave_size: Amount,
    /// How many tenants may have failed with nobody asked: a number, or a share. One more stops the roll-out.
    #[serde(default = "none")]
    pub failure_tolerance: Amount,
}

impl RollOutRules {
    /// Whether nothing is said.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for RollOutRules {
    fn default() -> Self {
        Self { first_wave: one(), wave_size: quarter(), failure_tolerance: none() }
    }
}

/// How many tenants: so many, or a share of all that a change concerns.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// A share such as `25%`.
    Share(String),
}

impl Amount {
    /// The most tenants that a wave has, or that may have failed: a row of the ledger has room for them.
    pub const MOST: u32 = 1_000;

    /// The share in per cent, if it is one.
    #[must_use]
    pub fn percent(&self) -> Option<u32> {
        let Self::Share(text) = self else { return None };
        let digits = text.strip_suffix('%')?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|percent| plain && *percent <= 100)
    }

    /// How many of so many that is, as a wave: one at least, and never less than the share.
    #[must_use]
    pub fn as_wave(&self, all: u32) -> u32 {
        u32::try_from(self.hundredths(all).div_ceil(100)).unwrap_or(Self::MOST).clamp(1, Self::MOST)
    }

    /// How many of so many that is, as failures: never more than the share.
    #[must_use]
    pub fn as_tolerance(&self, all: u32) -> u32 {
        u32::try_from(self.hundredths(all) / 100).unwrap_or(Self::MOST).min(Self::MOST)
    }

    fn hundredths(&self, all: u32) -> u64 {
        match self {
            Self::Count(count) => u64::from(*count) * 100,
            Self::Share(_) => u64::from(all) * u64::from(self.percent().unwrap_or(0)),
        }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => count.fmt(formatter),
            Self::Share(share) => formatter.write_str(share),
        }
    }
}

fn one() -> Amount {
    Amount::Count(1)
}

/// So that no landing zone, however large, needs more than five waves.
fn quarter() -> Amount {
    Amount::Share("25%".to_owned())
}

fn none() -> Amount {
    Amount::Count(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Amount {
        Amount::Share(text.to_owned())
    }

    #[test]
    fn a_wave_is_never_less_than_its_share_and_failures_never_more() {
        assert_eq!((share("25%").as_wave(6), share("25%").as_tolerance(6)), (2, 1));
        assert_eq!((share("1%").as_wave(6), share("1%").as_tolerance(6)), (1, 0));
        assert_eq!((Amount::Count(20).as_wave(6), Amount::Count(2).as_tolerance(6)), (20, 2));
        assert_eq!(share("100%").as_wave(50_000), Amount::MOST);
        assert_eq!(share("0%").as_wave(0), 1);
    }

    #[test]
    fn a_share_is_whole_per_cent() {
        for wrong in ["25", "%", "101%", "-1%", "2.5%", "+5%", " 5%"] {
            assert_eq!(share(wrong).percent(), None, "{wrong}");
        }
        assert_eq!((share("0%").percent(), share("100%").percent()), (Some(0), Some(100)));
    }
}
