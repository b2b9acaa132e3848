//! The `landfall` command.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    landfall::run().await
}
