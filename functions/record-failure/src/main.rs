//! The door of `record-failure`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(record_failure::handle).await
}
