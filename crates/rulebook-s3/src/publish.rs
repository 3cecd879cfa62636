//! Publishes files: makes their pointers refer to new contents. Contents are never copied.

use std::time::Duration;

use rulebook::store::{FileInfo, FileName, NewFile, StoreError};
use tokio::time::sleep;

use crate::bucket::{Bucket, Written};
use crate::pointer::{Entry, Pointer};
use crate::resolve::Resolved;

pub(crate) const PUBLISH: &str = "publishing a file";
/// How often a file is published again after another server has changed its pointer at the same moment.
pub(crate) const MAX_CONFLICTS: u32 = 100;

/// The content of a file that has been replaced. It is deleted later, so that downloads in progress can end.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) name: FileName,
    pub(crate) content: String,
}

#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) result: Result<Vec<FileInfo>, StoreError>,
    pub(crate) replaced: Vec<Replaced>,
    /// `true` if no name refers or will refer to the contents of the files. `false` also if it is unknown whether the
    /// files have been published: then only the search for contents without a name may delete them.
    pub(crate) unused: bool,
}

impl Published {
    pub(crate) fn failed(error: StoreError) -> Self {
        let unused = matches!(error, StoreError::PreconditionFailed(_) | StoreError::NameTooLong { .. });
        Self { result: Err(error), replaced: Vec::new(), unused }
    }
}

/// Returns the replaced content of a file, if it had one.
pub(crate) fn replaced(name: &FileName, current: Option<Entry>) -> Option<Replaced> {
    current.map(|entry| Replaced { name: name.clone(), content: entry.content })
}

pub(crate) fn check_precondition(file: &NewFile, resolved: &Resolved) -> Result<(), StoreError> {
    let info = resolved.current.as_ref().map(Entry::info);
    if file.precondition.is_met(info.as_ref()) {
        Ok(())
    } else {
        Err(StoreError::PreconditionFailed(file.name.clone()))
    }
}

/// Waits before the pointer that another server has just changed is read again.
pub(crate) async fn pause_after_conflict(conflicts: u32) {
    let mut random = [0; 1];
    // Without random numbers, all servers wait equally long.
    let _ = getrandom::fill(&mut random);
    sleep(Duration::from_millis(u64::from(conflicts.min(20) * 2) + u64::from(random[0] % 16))).await;
}

impl Bucket {
    pub(crate) async fn publish_one(&self, file: &NewFile) -> Published {
        match self.try_publish_one(file).await {
            Ok(replaced) => Published {
                result: Ok(vec![file.info.clone()]),
                replaced: replaced.into_iter().collect(),
                unused: false,
            },
            Err(error) => Published::failed(error),
        }
    }

    async fn try_publish_one(&self, file: &NewFile) -> Result<Option<Replaced>, StoreError> {
        let key = self.keys.pointer(&file.name)?;
        let new = Pointer { current: Some(Entry::new(file)), pending: None };
        for conflicts in 0..MAX_CONFLICTS {
            let resolved = self.resolve_for_change(&key, None).await?;
            if resolved.current == new.current {
                // The bucket has written the pointer, but has reported an error of the first attempt.
                return Ok(None);
            }
            check_precondition(file, &resolved)?;
            match self.write_if(&key, &new, &resolved.version, PUBLISH).await {
                Ok(Written::Done(_)) => return Ok(replaced(&file.name, resolved.current)),
                Ok(Written::Conflict) => pause_after_conflict(conflicts).await,
                Err(error) => {
                    // The response may have been lost after the pointer was written.
                    let again = self.resolve(&key).await;
                    if again.is_ok_and(|again| again.current == new.current) {
                        return Ok(replaced(&file.name, resolved.current));
                    }
                    return Err(error);
                }
            }
        }
        let error = "other servers have changed the same file all the time".into();
        Err(StoreError::Unavailable { action: PUBLISH, error })
    }
}
