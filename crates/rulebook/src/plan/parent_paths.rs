//! The parent paths of an API. A parent path is not the path of a service, but the API has services below it. The
//! server responds to OPTIONS at parent paths.

use rulebook_model::model::Segment;

use super::{RouteConflict, Routes};

#[derive(Debug, Default)]
pub struct ParentPaths {
    routes: Routes,
    len: usize,
}

impl ParentPaths {
    /// Adds a parent path. The index of the path is the number of paths that were added before. If `ignore_case` is
    /// `true`, requests may write the path in upper or lower case. Fails if the same path was added before.
    pub fn insert_parent_path(&mut self, path: &[Segment], ignore_case: bool) -> Result<(), RouteConflict> {
        self.routes.insert(path, self.len, ignore_case)?;
        self.len += 1;
        Ok(())
    }

    /// Returns the index of a parent path. `path` consists of `segments` [encoded](super::encode_segment) segments,
    /// each with a leading `/`.
    pub fn find_parent_path(&self, path: &str, segments: usize) -> Option<usize> {
        self.routes.find_exact(path, segments)
    }
}
