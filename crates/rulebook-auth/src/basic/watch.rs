//! Reads the files with users again when they change.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::all_users::AllUsers;
use super::user_file::{Stamp, UserFile};

/// The interval at which the files of users are checked for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Reads each file again whenever it has changed, until the future is dropped. If a file is not valid, its users that
/// were read before remain valid. One task reads all files, so that each change is added to the others.
pub async fn watch(files: Arc<[UserFile]>, users: Arc<ArcSwapOption<AllUsers>>) {
    let Some(mut current) = users.load().as_ref().map(|users| users.files().to_vec()) else { return };
    let mut stamps: Vec<_> = current.iter().map(|users| users.stamp).collect();
    loop {
        sleep(POLL_INTERVAL).await;
        let mut has_changed = false;
        for (index, file) in files.iter().enumerate() {
            let stamp = Stamp::of(&file.path);
            if stamps[index] == stamp {
                continue;
            }
            stamps[index] = stamp;
            let all_files = Arc::clone(&files);
            let read = spawn_blocking(move || all_files[index].read()).await;
            match read.map_err(|error| error.to_string()).flatten() {
                Ok(read) => {
                    log::info!("{}: users: {}", file.path.display(), read.len());
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
