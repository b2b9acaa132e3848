//! The door of the step `enrol-account`.

use enrol_account::EnrolAccount;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| EnrolAccount { sessions, means: means.clone() }).await
}
