//! The door of the step `raise-quotas`.

use raise_quotas::RaiseQuotas;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| RaiseQuotas::new(sessions)).await
}
