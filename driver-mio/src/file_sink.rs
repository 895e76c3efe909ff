//! Received messages placed into files.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use dcquic_proto::pool::RecordSink;

/// A file that takes the records of a message, from an offset of it on.
///
/// Writing blocks the thread that receives, as any write to a file does.
///
/// ```
/// # use dcquic_mio::FileSink;
/// # use dcquic_proto::pool::{Download, ReceiveError, Tee};
/// # async fn example(download: Download) -> Result<(), Box<dyn std::error::Error>> {
/// let file = FileSink::new(std::fs::File::create("received")?, 4_096);
/// let mut cache = vec![0; 1 << 20];
/// let cached = |offset: u64, data: &bytes::Bytes| {
///     let start = offset as usize;
///     cache[start..start + data.len()].copy_from_slice(data);
///     Ok::<(), std::io::Error>(())
/// };
/// let len = download.receive_into(Tee(file, cached)).await?;
/// # let _ = len;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSink {
    file: Arc<File>,
    offset: u64,
}

impl FileSink {
    /// A place for a message in `file`, whose first byte comes to `offset`.
    pub fn new(file: File, offset: u64) -> Self {
        Self { file: Arc::new(file), offset }
    }
}

impl RecordSink for FileSink {
    type Error = io::Error;

    fn place(&mut self, offset: u64, data: &Bytes) -> io::Result<()> {
        let at = self.offset.checked_add(offset).ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.write_all_at(data, at)
    }
}
