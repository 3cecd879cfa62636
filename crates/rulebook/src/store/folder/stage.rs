//! Stages uploaded files: converts an upload to a temporary file of the store, which can be published.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use cap_std::fs::OpenOptions;

use super::writer::TemporaryFile;
use super::{Folder, StagedFile, Writer};
use crate::call::Upload;
use crate::store::StoreError;

/// The number of bytes that are copied at once.
const COPY_CHUNK_LEN: usize = 256 << 10;
const STAGE_ACTION: &str = "taking over an uploaded file";

impl Folder {
    /// Stages an uploaded file. If the file is in the staging folder of this program, it is used without copying it.
    pub(in crate::store) fn stage(self: &Arc<Self>, upload: &Upload) -> Result<StagedFile, StoreError> {
        let io = StoreError::io_during(STAGE_ACTION);
        let is_staged = upload.path().parent() == Some(&self.path.join(self.staging.path()));
        let name = upload.path().file_name().and_then(|name| name.to_str());
        match (name, upload.hash()) {
            (Some(name), Some(hash)) if is_staged => {
                let mut options = OpenOptions::new();
                let file = self.staging.dir().open_with(name, options.read(true)).map_err(&io)?.into_std();
                let temporary = TemporaryFile::new(self, name.to_owned());
                let media_type = upload.media_type().to_owned().into();
                StagedFile::new(&file, temporary, blake3::Hash::from_bytes(*hash), media_type)
            }
            _ => self.copy_to_staging(File::open(upload.path()).map_err(&io)?),
        }
    }

    fn copy_to_staging(self: &Arc<Self>, mut file: File) -> Result<StagedFile, StoreError> {
        let mut writer = Writer::new(self, u64::MAX)?;
        let mut chunk = vec![0; COPY_CHUNK_LEN];
        loop {
            let read = file.read(&mut chunk).map_err(StoreError::io_during(STAGE_ACTION))?;
            if read == 0 {
                return writer.finish();
            }
            writer.write(&chunk[..read])?;
        }
    }
}
