//! The key with which links are signed. It is in the bucket, so that all servers have the same.

use object_store::path::Path;
use rulebook::store::{LinkKey, StoreError};

use crate::bucket::{Bucket, Written};
use crate::keys::STATE;

const READ_KEY: &str = "reading the key of links";

impl Bucket {
    /// Reads the key of links. If it does not exist, creates it at random.
    pub(crate) async fn link_key(&self) -> Result<LinkKey, StoreError> {
        let path = self.keys.key(STATE, "link-key");
        if let Some(key) = self.read_link_key(&path).await? {
            return Ok(key);
        }
        let failed = |error: &str| StoreError::Unavailable { action: READ_KEY, error: error.into() };
        let mut random = [0; LinkKey::LEN];
        getrandom::fill(&mut random).map_err(|error| failed(&error.to_string()))?;
        match self.create_bytes(&path, hex::encode(random).into(), READ_KEY).await? {
            Written::Done(_) => Ok(LinkKey::new(random)),
            // Another server has created the key at the same time.
            Written::Conflict => self.read_link_key(&path).await?.ok_or_else(|| failed("the key was deleted")),
        }
    }

    /// Reads the key. The error never contains what the object contains.
    async fn read_link_key(&self, path: &Path) -> Result<Option<LinkKey>, StoreError> {
        let Some(bytes) = self.read_bytes(path, READ_KEY).await? else { return Ok(None) };
        let mut key = [0; LinkKey::LEN];
        match hex::decode_to_slice(&bytes, &mut key) {
            Ok(()) => Ok(Some(LinkKey::new(key))),
            Err(_) => {
                let error = format!("the object {path} is not a key of {} bytes", LinkKey::LEN).into();
                Err(StoreError::Unavailable { action: READ_KEY, error })
            }
        }
    }
}
