//! Gets a URL a few times and says what came.
//!
//!     cargo run -- http://127.0.0.1:8080/ 3

use std::error::Error;
use std::time::Duration;

use http_body_util::BodyExt;
use leasehold_example_hyper::{Client, Timeouts};
use tokio_rustls::rustls::RootCertStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), count) = (arguments.next(), arguments.next()) else {
        return Err("usage: get URL [COUNT]".into());
    };
    // For https: whom a program believes is its own to say.
    let roots = RootCertStore::empty();
    let client = Client::new(roots, 32, Duration::from_secs(60), Timeouts::default());
    for _ in 0..count.map_or(Ok(1), |count| count.parse())? {
        let response = client.get(&url).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("{status}, {} bytes", body.len());
    }
    Ok(())
}
