//! The door of the step `deploy-access-stack`.

use deploy_access_stack::DeployAccessStack;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, _| DeployAccessStack { sessions }).await
}
