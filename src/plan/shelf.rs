//! The documents of an API, those of all of it and those for who asks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Above, Documents};

/// The most sets of permissions whose documents are kept.
const MOST_SETS: usize = 64;
/// The most bytes of documents that are kept for sets of permissions, but for the last one's.
const MOST_BYTES: usize = 64 << 20;

/// Documents that are made when the first of them is asked for: those of thousands of services take longer than all
/// else at start, and no call needs them.
pub struct Later {
    made: OnceLock<Documents>,
    make: Box<dyn Fn() -> Documents + Send + Sync>,
    /// Whose turn it is to make them away from the worker, so that one does and the others wait.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

impl Later {
    /// Documents that `make` will make.
    #[must_use]
    pub fn new(make: impl Fn() -> Documents + Send + Sync + 'static) -> Self {
        Self { made: OnceLock::new(), make: Box::new(make), turn: Arc::default() }
    }

    /// The documents, made now where they are not yet.
    pub fn get(&self) -> &Documents {
        self.made.get_or_init(|| (self.make)())
    }

    /// Whether they have been made.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.made.get().is_some()
    }
}

/// Makes the documents for somebody with these permissions.
type Make = dyn Fn(&[Box<str>]) -> Documents + Send + Sync;

/// A set of permissions, sorted, and the documents for it.
type Kept = (Arc<[Box<str>]>, Arc<Later>);

/// All documents of an API.
pub struct Shelf {
    all: Arc<Later>,
    above: OnceLock<Above>,
    ways: Box<dyn Fn() -> Above + Send + Sync>,
    /// Whether who asks for nothing in particular is only told what that one may call.
    pub own: bool,
    make: Arc<Make>,
    /// By sets of permissions, the one that was asked for last in front.
    kept: Mutex<VecDeque<Kept>>,
}

impl Shelf {
    /// Documents that `make` will make for permissions; `all` are those of the whole API, and `above` makes the ways to
    /// the URIs above all services.
    #[must_use]
    pub fn new(
        all: Later,
        own: bool,
        above: impl Fn() -> Above + Send + Sync + 'static,
        make: impl Fn(&[Box<str>]) -> Documents + Send + Sync + 'static,
    ) -> Self {
        let ways = Box::new(above);
        Self { all: Arc::new(all), above: OnceLock::new(), ways, own, make: Arc::new(make), kept: Mutex::default() }
    }

    /// The ways to the URIs above all services, made now where they are not yet: routing cannot wait for the documents
    /// there, which take much longer.
    pub fn above(&self) -> &Above {
        self.above.get_or_init(|| (self.ways)())
    }

    /// Those of the whole API.
    #[must_use]
    pub fn all(&self) -> &Arc<Later> {
        &self.all
    }

    /// Those for somebody who holds these permissions: the same for all who hold the same.
    #[must_use]
    pub fn of(&self, held: &[Box<str>]) -> Arc<Later> {
        let mut set = held.to_vec();
        set.sort_unstable();
        set.dedup();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|(own, _)| **own == *set);
        if let Some(found) = index.and_then(|index| kept.remove(index)) {
            let later = Arc::clone(&found.1);
            kept.push_front(found);
            return later;
        }
        let (set, make): (Arc<[Box<str>]>, _) = (set.into(), Arc::clone(&self.make));
        let held = Arc::clone(&set);
        let later = Arc::new(Later::new(move || make(&held)));
        kept.push_front((set, Arc::clone(&later)));
        // Only now: a worker counts thousands of documents, and others wait for the lock.
        let mut bytes = 0;
        let keeps = |(index, (_, later)): (usize, &Kept)| {
            bytes += later.made.get().map_or(0, Documents::size);
            index == 0 || index < MOST_SETS && bytes <= MOST_BYTES
        };
        let most = kept.iter().enumerate().map(keeps).take_while(|keeps| *keeps).count();
        kept.truncate(most);
        later
    }
}
