//! A clerk's count by radio, from the register's connection: begin, watch until enough was seen, keep.
//!
//! Only what is kept becomes a fact, so only that goes through the client log. The readers are the box's matter.

use std::time::Duration;

use backroom_protocol::v1::clerk::clerk_service_client::ClerkServiceClient;
use backroom_protocol::v1::clerk::{KeepCountResponse, WatchCountRequest};
use tonic::Status;

use super::{Client, Failure, make};

impl Client {
    /// Counts a place until at least so many different tags were read, and keeps that. `None` when they were not read in time.
    pub async fn count(&mut self, place: &str, tags: u64, within: Duration) -> Result<Option<KeepCountResponse>, Failure> {
        let count = self.read(&make::start_count(place)).await?.count_id;
        let seen = tokio::time::timeout(within, self.watch_until(count.clone(), tags)).await;
        match seen {
            Ok(seen) => seen?,
            Err(_) => return Ok(None),
        }
        self.command(&make::keep_count(&count)).await.map(Some)
    }

    /// A count that is open is shown again whenever it changed.
    async fn watch_until(&mut self, count_id: Vec<u8>, tags: u64) -> Result<(), Failure> {
        let fault = |status: Status| Failure::Fault {
            call: "watch_count",
            code: status.code(),
            message: status.message().to_owned(),
        };
        let request = self.envelope(WatchCountRequest { count_id });
        let watched = ClerkServiceClient::new(self.channel.clone()).watch_count(request).await;
        let mut views = watched.map_err(fault)?.into_inner();
        while let Some(view) = views.message().await.map_err(fault)? {
            if view.count.is_some_and(|count| count.tags >= tags) {
                return Ok(());
            }
        }
        Err(Failure::Incomplete {
            call: "watch_count",
            field: "the rest of the count",
        })
    }
}
