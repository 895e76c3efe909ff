//! Where the records of a message are placed: memory, a file, or two places at once.

use bytes::Bytes;

use super::{CallError, Download};

/// A place for the records of one message, each at its offset, in any order, each once.
///
/// `driver-mio` has one for files. A `&mut [u8]` takes what fits into it.
pub trait RecordSink {
    /// What can go wrong.
    type Error;

    /// Places a record.
    ///
    /// # Errors
    /// The record has no place; the message is given up.
    fn place(&mut self, offset: u64, data: &Bytes) -> Result<(), Self::Error>;
}

/// A record goes past the end of the memory that the caller gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record ends at byte {end} of a message, and there is memory for {len}")]
pub struct PastEnd {
    /// Where the record ends.
    pub end: u64,
    /// How much memory there is.
    pub len: u64,
}

impl RecordSink for &mut [u8] {
    type Error = PastEnd;

    fn place(&mut self, offset: u64, data: &Bytes) -> Result<(), PastEnd> {
        let end = offset.saturating_add(data.len() as u64);
        let len = self.len() as u64;
        let place = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get_mut(start..start.checked_add(data.len())?));
        place.ok_or(PastEnd { end, len })?.copy_from_slice(data);
        Ok(())
    }
}

/// A second place for every record: a cache beside the file, for example. Nothing is copied for it.
#[derive(Clone, Copy, Debug)]
pub struct Tee<A, B>(pub A, pub B);

impl<A, B, E> RecordSink for Tee<A, B>
where
    A: RecordSink<Error = E>,
    B: RecordSink<Error: Into<E>>,
{
    type Error = E;

    fn place(&mut self, offset: u64, data: &Bytes) -> Result<(), E> {
        self.0.place(offset, data)?;
        self.1.place(offset, data).map_err(Into::into)
    }
}

/// A function of each record's offset and bytes.
impl<F, E> RecordSink for F
where
    F: FnMut(u64, &Bytes) -> Result<(), E>,
{
    type Error = E;

    fn place(&mut self, offset: u64, data: &Bytes) -> Result<(), E> {
        self(offset, data)
    }
}

/// A message was not received into its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError<E> {
    /// The call came to nothing.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A record could not be placed.
    #[error("the record at byte {offset} could not be placed")]
    Place {
        /// Where it belongs.
        offset: u64,
        /// What went wrong.
        #[source]
        error: E,
    },
}

impl Download {
    /// Receives the whole message into a place, a record at a time; returns its length in bytes.
    ///
    /// # Errors
    /// The call came to nothing, or a record could not be placed; the call is then given up.
    pub async fn receive_into<S: RecordSink>(
        mut self,
        mut sink: S,
    ) -> Result<u64, ReceiveError<S::Error>> {
        let mut received = 0;
        while let Some(record) = self.next().await {
            let record = record?;
            let offset = record.offset;
            sink.place(offset, &record.data)
                .map_err(|error| ReceiveError::Place { offset, error })?;
            received += record.data.len() as u64;
        }
        Ok(received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_go_where_they_belong_and_to_both_places() {
        let (mut memory, mut offsets) = ([0; 6], Vec::new());
        let note = |offset, data: &Bytes| {
            offsets.push((offset, data.len()));
            Ok::<(), PastEnd>(())
        };
        let mut tee = Tee(&mut memory[..], note);
        tee.place(3, &Bytes::from("def")).unwrap();
        tee.place(0, &Bytes::from("abc")).unwrap();
        assert_eq!((memory, offsets), (*b"abcdef", vec![(3, 3), (0, 3)]));
    }

    #[test]
    fn a_record_past_the_end_is_an_error() {
        let mut memory = [0; 4];
        let past_end = (&mut memory[..]).place(2, &Bytes::from("abc"));
        assert_eq!(past_end, Err(PastEnd { end: 5, len: 4 }));
        let far = (&mut memory[..]).place(u64::MAX, &Bytes::from("a"));
        assert_eq!(far, Err(PastEnd { end: u64::MAX, len: 4 }));
    }
}
