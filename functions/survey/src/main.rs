//! The door of `survey`.

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::door(survey::handle).await
}
