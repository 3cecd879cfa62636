//! Limits the memory for the bodies of all requests. Each request has limits too, but many clients could send
//! long requests at the same time, and never complete them.

use std::net::IpAddr;
use std::sync::Arc;

use rulebook_model::connection_limits::FREE_REQUEST_BYTES;

use crate::client_shares::{ClientShares, Share, UsedUp};

/// The memory for the body of one request, until this value is dropped.
#[derive(Debug, Default)]
pub(super) struct ReservedMemory {
    /// The number of bytes of the body.
    length: usize,
    /// The part of the memory for all requests; `None` while the bytes are few.
    share: Option<Share>,
}

impl ReservedMemory {
    /// Reserves memory for further bytes.
    ///
    /// # Errors
    /// Fails in the same case as [`ReservedMemory::grow_to`].
    pub(super) fn add(
        &mut self,
        bytes: usize,
        memory: &Arc<ClientShares>,
        client: Option<IpAddr>,
    ) -> Result<(), UsedUp> {
        self.grow_to(self.length + bytes, memory, client)
    }

    /// Reserves memory for this number of bytes in total. The first [`FREE_REQUEST_BYTES`] are not counted, so that the
    /// workers rarely write to the same counter.
    ///
    /// # Errors
    /// Fails if the requests of all clients, or of this client, would use too much memory. Nothing is reserved then.
    #[inline]
    pub(super) fn grow_to(
        &mut self,
        length: usize,
        memory: &Arc<ClientShares>,
        client: Option<IpAddr>,
    ) -> Result<(), UsedUp> {
        if length <= self.length.max(FREE_REQUEST_BYTES as usize) {
            self.length = self.length.max(length);
            return Ok(());
        }
        self.grow_share(length, memory, client)
    }

    fn grow_share(&mut self, length: usize, memory: &Arc<ClientShares>, client: Option<IpAddr>) -> Result<(), UsedUp> {
        match &mut self.share {
            Some(share) => share.grow(length - self.length)?,
            None => self.share = Some(memory.take(client, length)?),
        }
        self.length = length;
        Ok(())
    }
}
