//! The e-mail domain: AWS sends what nobody else can receive to each account's address.

use tenant::Platform;

use super::{Check, Patient, Unanswered, listed};

/// Every domain that accounts get addresses of is one that a person has confirmed.
pub async fn domain(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "e-mail domain";
    let platforms = match &patient.api {
        Some(api) => api.configs::<Platform>().await.unwrap_or_default(),
        None => Vec::new(),
    };
    let wanted: Vec<&str> = platforms
        .iter()
        .filter_map(|platform| platform.spec.account_email_pattern.rsplit_once('@'))
        .map(|(_, domain)| domain)
        .collect();
    let confirmed = &patient.email_domains;
    let open: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|domain| !confirmed.iter().any(|known| known == domain))
        .collect();
    if let Some(domain) = open.first() {
        return Ok(Check::failing(
            CHECK,
            format!("nobody has confirmed that mail to any address of {} arrives", listed(&open)),
            format!(
                "Send a mail to landfall-test@{domain}; when it has arrived, repeat with --email-domain {domain}."
            ),
        ));
    }
    Ok(match (wanted.is_empty(), confirmed.is_empty()) {
        (false, _) => Check::ok(CHECK, format!("{} is confirmed", listed(&wanted))),
        (true, false) => {
            Check::ok(CHECK, format!("{} is confirmed; no platform uses it yet", listed(confirmed)))
        }
        (true, true) => Check::failing(
            CHECK,
            "no domain is confirmed",
            "Send a mail to any address of the domain that accounts will get; when it has arrived, repeat with \
             --email-domain and that domain.",
        ),
    })
}
