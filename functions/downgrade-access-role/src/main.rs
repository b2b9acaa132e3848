//! The door of the step `downgrade-access-role`.

use downgrade_access_role::DowngradeAccessRole;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| DowngradeAccessRole { sessions }).await
}
