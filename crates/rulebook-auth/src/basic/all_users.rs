//! The users of all files of a definition, and the credentials that have been verified.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::user_file::{UserFile, UserFileStamp, Users};

/// The maximum number of credentials that each worker remembers, because computing a hash again takes long.
const MAX_VERIFIED: usize = 10_000;
/// The interval at which the files of users are checked for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The users of all files, with the credentials that have been verified. If one of the files changes, a new value
/// replaces this one, so that all credentials are verified again.
pub struct AllUsers {
    files: Vec<Arc<Users>>,
    /// The credentials that a worker has verified.
    pub verified: VerifiedCredentials<Identity>,
}

impl AllUsers {
    pub fn new(files: Vec<Arc<Users>>) -> Self {
        Self { files, verified: VerifiedCredentials::with_max(MAX_VERIFIED) }
    }

    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|users| users.by_name.is_empty())
    }

    /// Verifies a password with the hash of each file that contains the user, and returns the indexes of the files that
    /// accept it: all of them, or only the first one. The call takes a long time, which is the same for every wrong
    /// password and for unknown names: for each file, it computes one hash of each cost in the file.
    pub fn verify(&self, name: &str, password: &str, only_first: bool) -> Vec<usize> {
        let mut accepting = Vec::new();
        for (index, users) in self.files.iter().enumerate() {
            let hash_of_user = users.by_name.get(name).map(|user| &user.hash);
            for hash in &users.hash_of_each_cost {
                let same_cost = hash_of_user.filter(|of_user| of_user.cost() == hash.cost());
                // Without a hash of the user, the result has no meaning.
                let is_correct = same_cost.unwrap_or(hash).verify(password);
                if same_cost.is_some() && is_correct {
                    accepting.push(index);
                }
            }
        }
        accepting.truncate(if only_first { 1 } else { usize::MAX });
        accepting
    }

    /// Returns the identity of a user. It has the name that the first accepting file gives it, and the permissions of
    /// all of them. Returns `None` if no file accepts the credential.
    pub fn identity(&self, name: &str, accepting: &[usize]) -> Option<Identity> {
        let first = self.files.get(*accepting.first()?)?;
        let mut permissions: Vec<&str> = Vec::new();
        for user in accepting.iter().filter_map(|index| self.files.get(*index)?.by_name.get(name)) {
            for permission in &user.permissions {
                if !permissions.contains(&permission.as_str()) {
                    permissions.push(permission);
                }
            }
        }
        Some(Identity::new(name, permissions).with_namespace(&first.namespace))
    }
}

/// Reads each file again whenever it has changed, until the future is dropped. If a file is not valid, its users that
/// were read before remain valid. One task reads all files, so that each change is added to the others.
pub async fn watch(files: Arc<[UserFile]>, users: Arc<ArcSwapOption<AllUsers>>) {
    let Some(mut current) = users.load().as_ref().map(|users| users.files.clone()) else { return };
    let mut stamps: Vec<_> = current.iter().map(|users| users.stamp).collect();
    loop {
        sleep(POLL_INTERVAL).await;
        let mut has_changed = false;
        for (index, file) in files.iter().enumerate() {
            let stamp = UserFileStamp::of(&file.path);
            if stamps[index] == stamp {
                continue;
            }
            stamps[index] = stamp;
            let all_files = Arc::clone(&files);
            let read = spawn_blocking(move || all_files[index].read()).await;
            match read.map_err(|error| error.to_string()).flatten() {
                Ok(read) => {
                    log::info!("{}: users: {}", file.path.display(), read.by_name.len());
                    current[index] = Arc::new(read);
                    has_changed = true;
                }
                Err(error) => log::error!("the users stay as they were: {error}"),
            }
        }
        if has_changed {
            users.store(Some(Arc::new(AllUsers::new(current.clone()))));
        }
    }
}
