//! How a change may be rolled out.

use super::Problem;
use crate::{Amount, RollOutRules};

/// What is wrong with how changes are rolled out.
pub(super) fn roll_out(rules: &RollOutRules, problems: &mut Vec<Problem>) {
    let amounts = [
        ("firstWave", &rules.first_wave, 1),
        ("waveSize", &rules.wave_size, 1),
        ("failureTolerance", &rules.failure_tolerance, 0),
    ];
    for (field, amount, least) in amounts {
        let (fits, most) = match amount {
            Amount::Count(count) => ((least..=Amount::MOST).contains(count), Amount::MOST),
            Amount::Share(_) => (amount.percent().is_some_and(|percent| percent >= least), 100),
        };
        if fits {
            continue;
        }
        let rule = match amount {
            Amount::Count(_) => format!("must be {least} to {most} tenants"),
            Amount::Share(_) => {
                format!("must be a share of {least}% to {most}%, in whole per cent")
            }
        };
        let remedy = "Write a number of tenants such as `20`, or a share of them such as `25%`.";
        problems.push(Problem::new(format!("spec.rollOut.{field}"), amount, rule, remedy));
    }
}
