//! AWS's published limits as token buckets in virtual time.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::authorization::Fault;

/// Tokens per virtual second, and how many there are at most.
type Limit = (f64, f64);

/// The buckets of all accounts.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<(String, String, &'static str), Bucket>>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: f64,
}

impl Throttle {
    /// Takes a token for an operation at virtual time `now`; false if there is none.
    pub fn admits(&self, account: &str, region: &str, service: &str, name: &str, now: f64) -> bool {
        let Some((bucket, (rate, burst))) = limit(service, name) else { return true };
        let mut buckets = self.0.lock();
        let key = (account.to_owned(), region.to_owned(), bucket);
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: burst, filled: now });
        bucket.tokens = (bucket.tokens + (now - bucket.filled) * rate).min(burst);
        bucket.filled = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

/// How a service says that calls come too fast.
pub fn fault(service: &str) -> Fault {
    match service {
        "organizations" => Fault::new(
            400,
            "TooManyRequestsException",
            "AWS Organizations can't complete your request because another request is already in \
             progress. Try again later.",
        ),
        "lambda" => Fault::new(429, "TooManyRequestsException", "Rate exceeded")
            .with("Reason", "CallerRateLimitExceeded"),
        "account" | "apigateway" => {
            Fault::new(429, "TooManyRequestsException", "Too Many Requests")
        }
        "servicequotas" => Fault::new(400, "TooManyRequestsException", "Rate exceeded"),
        "ec2" => Fault::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        "iam" | "sts" | "cloudformation" | "sns" | "monitoring" => {
            Fault::new(400, "Throttling", "Rate exceeded")
        }
        "s3" => Fault::new(503, "SlowDown", "Please reduce your request rate."),
        "identitystore" => {
            Fault::new(400, "ThrottlingException", "Rate exceeded").with("RetryAfterSeconds", "1")
        }
        "sso" => Fault::new(400, "ThrottlingException", "There are too many requests processing"),
        _ => Fault::new(400, "ThrottlingException", "Rate exceeded"),
    }
}

/// The bucket and limit of an operation; limits of one bucket are shared.
fn limit(service: &str, name: &str) -> Option<(&'static str, Limit)> {
    match service {
        "organizations" => organizations(name),
        "account" => Some(match name {
            "EnableRegion" | "DisableRegion" => ("account:EnableRegion", (1.0, 1.0)),
            "PutAlternateContact" => ("account:PutAlternateContact", (5.0, 8.0)),
            _ => ("account", (10.0, 15.0)),
        }),
        "sso" => Some(("sso", (20.0, 20.0))),
        "identitystore" => Some(("identitystore", (20.0, 20.0))),
        "lambda" if name != "Invoke" => Some(("lambda", (15.0, 15.0))),
        "states" => states(name),
        "sts" => Some(("sts", (600.0, 600.0))),
        _ => None,
    }
}

/// Organizations' own table, mid-2026.
fn organizations(name: &str) -> Option<(&'static str, Limit)> {
    Some(match name {
        "CreateAccount" | "CreateGovCloudAccount" => ("organizations:CreateAccount", (0.1, 3.0)),
        "CloseAccount" => ("organizations:CloseAccount", (0.05, 1.0)),
        "DescribeCreateAccountStatus" => ("organizations:DescribeCreateAccountStatus", (2.0, 2.0)),
        "ListCreateAccountStatus" => ("organizations:ListCreateAccountStatus", (5.0, 8.0)),
        "DescribeAccount" => ("organizations:DescribeAccount", (20.0, 30.0)),
        "ListAccounts" => ("organizations:ListAccounts", (8.0, 12.0)),
        "MoveAccount" => ("organizations:MoveAccount", (2.0, 3.0)),
        "UpdateOrganizationalUnit" => ("organizations:UpdateOrganizationalUnit", (2.0, 3.0)),
        "DeleteOrganizationalUnit" => ("organizations:DeleteOrganizationalUnit", (2.0, 3.0)),
        "CreateOrganizationalUnit" => ("organizations:CreateOrganizationalUnit", (1.0, 2.0)),
        "DescribeOrganization" => ("organizations:DescribeOrganization", (1.0, 2.0)),
        "DescribeOrganizationalUnit" => ("organizations:DescribeOrganizationalUnit", (2.0, 2.0)),
        "ListParents" => ("organizations:ListParents", (5.0, 8.0)),
        "ListAccountsForParent" => ("organizations:ListAccountsForParent", (5.0, 8.0)),
        "ListOrganizationalUnitsForParent" => {
            ("organizations:ListOrganizationalUnitsForParent", (5.0, 8.0))
        }
        "ListChildren" => ("organizations:ListChildren", (6.0, 10.0)),
        "ListRoots" => ("organizations:ListRoots", (1.0, 2.0)),
        "TagResource" => ("organizations:TagResource", (4.0, 6.0)),
        "UntagResource" => ("organizations:UntagResource", (4.0, 6.0)),
        "ListTagsForResource" => ("organizations:ListTagsForResource", (10.0, 15.0)),
        "CreatePolicy" => ("organizations:CreatePolicy", (2.0, 3.0)),
        "DeletePolicy" => ("organizations:DeletePolicy", (2.0, 3.0)),
        "UpdatePolicy" => ("organizations:UpdatePolicy", (2.0, 3.0)),
        "AttachPolicy" => ("organizations:AttachPolicy", (2.0, 3.0)),
        "DetachPolicy" => ("organizations:DetachPolicy", (2.0, 3.0)),
        "RemoveAccountFromOrganization" => {
            ("organizations:RemoveAccountFromOrganization", (2.0, 2.0))
        }
        "InviteAccountToOrganization" => ("organizations:InviteAccountToOrganization", (3.0, 5.0)),
        "AcceptHandshake" => ("organizations:AcceptHandshake", (1.0, 2.0)),
        _ => return None,
    })
}

/// Step Functions in a Region with the smaller limits.
fn states(name: &str) -> Option<(&'static str, Limit)> {
    Some(match name {
        "StartExecution" => ("states:StartExecution", (150.0, 800.0)),
        "SendTaskSuccess" | "SendTaskFailure" | "SendTaskHeartbeat" => {
            ("states:SendTask", (300.0, 1_500.0))
        }
        "DescribeExecution" => ("states:DescribeExecution", (10.0, 250.0)),
        "ListExecutions" => ("states:ListExecutions", (2.0, 100.0)),
        "GetExecutionHistory" => ("states:GetExecutionHistory", (20.0, 400.0)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_account_has_three_at_once_and_then_one_in_ten_seconds() {
        let throttle = Throttle::default();
        let admits = |now| throttle.admits("1", "us-east-1", "organizations", "CreateAccount", now);
        assert_eq!([admits(0.0), admits(0.0), admits(0.0), admits(0.0)], [true, true, true, false]);
        assert!(!admits(9.0));
        assert!(admits(10.0) && !admits(10.0));
    }

    #[test]
    fn accounts_have_limits_of_their_own_and_unlimited_operations_pass() {
        let throttle = Throttle::default();
        let roots =
            |account| throttle.admits(account, "us-east-1", "organizations", "ListRoots", 0.0);
        assert!(roots("1") && roots("1") && !roots("1") && roots("2"));
        assert!((0..1000).all(|_| throttle.admits("1", "r", "dynamodb", "PutItem", 0.0)));
    }
}
