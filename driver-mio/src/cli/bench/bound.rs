//! What no core that encrypts can beat: the cryptography and one copy, nothing else.

use std::{hint::black_box, time::Instant};

use dcquic_proto::crypto::{DataKeys, KeyLimits, OpeningKeys, SecretRng, Seed, Suite, TAG_LEN};

use crate::cli::failure::Failure;

/// Gbit/s of sealing, copying and opening `bytes` on this thread in records of `record` bytes.
pub(crate) fn gbit_per_second(bytes: u64, record: usize) -> Result<f64, Failure> {
    let limits = KeyLimits::default();
    let seed = Seed::from_bytes([1; 32]);
    let mut keys = DataKeys::new(SecretRng::new(&seed, "seal"), Suite::default(), &limits);
    let mut openers = OpeningKeys::new(&mut SecretRng::new(&seed, "open"), &limits);
    let plain = vec![7u8; record];
    let mut sealed = vec![0u8; record + TAG_LEN];
    let mut carried = sealed.clone();
    let mut opened = plain.clone();
    let records = bytes.div_ceil(record as u64);
    let started = Instant::now();
    let mut done = 0;
    while done < records {
        let batch = BATCH.min(records - done);
        let key = keys.allocate(batch).map_err(Failure::new)?;
        let opener = openers.get(key.key_bytes()).map_err(Failure::new)?;
        for index in 0..batch {
            key.seal(index, &plain, &mut sealed).map_err(Failure::new)?;
            carried.copy_from_slice(black_box(&sealed));
            let number = key.first_record() + index;
            opener.open(number, &carried, &mut opened).map_err(Failure::new)?;
            black_box(&opened);
        }
        done += batch;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok((records * record as u64 * 8) as f64 / seconds / 1e9)
}

/// Records under one allocation; few enough for any limit.
const BATCH: u64 = 256;
