//! Stages uploaded files: converts an upload in the staging folder to a temporary file of the store, which can be
//! published.

use std::sync::Arc;

use cap_std::fs::OpenOptions;

use super::writer::TemporaryFile;
use super::{Folder, StagedFile};
use crate::call::Upload;
use crate::store::StoreError;

impl Folder {
    /// Stages an uploaded file without copying it. Returns `None` if the file is not in the staging folder of this
    /// program, so that it must be copied.
    pub(in crate::store) fn stage(self: &Arc<Self>, upload: &Upload) -> Result<Option<StagedFile>, StoreError> {
        let is_staged = upload.path().parent() == Some(&self.path.join(self.staging.path()));
        let name = upload.path().file_name().and_then(|name| name.to_str());
        let (Some(name), Some(hash), true) = (name, upload.hash(), is_staged) else { return Ok(None) };
        let mut options = OpenOptions::new();
        let file = self.staging.dir().open_with(name, options.read(true));
        let file = file.map_err(StoreError::io_during("taking over an uploaded file"))?.into_std();
        let temporary = TemporaryFile::new(self, name.to_owned());
        let media_type = upload.media_type().to_owned().into();
        StagedFile::new(&file, temporary, blake3::Hash::from_bytes(*hash), media_type).map(Some)
    }
}
