//! The door of the step `baseline-regions`.

use baseline_regions::BaselineRegions;

#[tokio::main]
async fn main() -> Result<(), entry::Error> {
    entry::step(|sessions, means| BaselineRegions { sessions, means: means.clone() }).await
}
