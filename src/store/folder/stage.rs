//! Taking files that came with requests.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use cap_std::fs::OpenOptions;

use super::writer::Temporary;
use super::{Folder, Staged, Writer};
use crate::call::Upload;
use crate::store::StoreError;

/// How much is copied at once, in bytes.
const PIECE: usize = 256 << 10;

impl Folder {
    /// Takes a file that came with a request.
    pub(in crate::store) fn stage(self: &Arc<Self>, upload: &Upload) -> Result<Staged, StoreError> {
        let io = StoreError::io("taking a file that came with a request");
        let own = upload.path().parent() == Some(&self.path.join(self.staging.path()));
        let called = upload.path().file_name().and_then(|called| called.to_str());
        match (called, upload.hash()) {
            (Some(called), Some(hash)) if own => {
                let mut options = OpenOptions::new();
                let file = self.staging.own().open_with(called, options.read(true)).map_err(&io)?.into_std();
                let temporary = Temporary::new(self, called.to_owned());
                Staged::new(&file, temporary, blake3::Hash::from_bytes(*hash), upload.media_type().to_owned().into())
            }
            _ => self.copy(File::open(upload.path()).map_err(&io)?),
        }
    }

    fn copy(self: &Arc<Self>, mut file: File) -> Result<Staged, StoreError> {
        let mut writer = Writer::new(self, u64::MAX)?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece).map_err(StoreError::io("taking a file that came with a request"))?;
            if read == 0 {
                return writer.finish();
            }
            writer.write(&piece[..read])?;
        }
    }
}
