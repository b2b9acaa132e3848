//! The door of `hear-events`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(hear_events::handle).await
}
