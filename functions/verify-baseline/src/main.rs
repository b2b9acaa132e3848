//! The door of the step `verify-baseline`.

use verify_baseline::VerifyBaseline;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| VerifyBaseline { sessions, ledger: means.ledger.clone() }).await
}
