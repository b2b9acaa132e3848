//! The door of the step `roll-out-access`.

use roll_out_access::RollOutAccess;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| RollOutAccess { sessions }).await
}
