//! Bytes that no peer sealed.

use super::*;

/// A packet of either kind, as it was sealed.
fn sealed(kind: bool, len: u8) -> (Vec<u8>, PathKeys) {
    let (mut a, b) = pair(KeyLimits::default());
    let payload = vec![0x77; usize::from(len)];
    let packet = if kind { control(&mut a, 0, &payload) } else { data(&mut a, 0, &payload) };
    (packet, b)
}

fn open_either(keys: &mut PathKeys, kind: bool, packet: &[u8]) -> Result<(), OpenError> {
    let mut packet = packet.to_vec();
    if kind {
        keys.open_control(NOW, &mut packet).map(|_opened| ())
    } else {
        keys.open_data(NOW, &packet).map(|_opened| ())
    }
}

/// [SEC-12]
#[test]
fn no_bit_of_what_a_tag_covers_can_be_altered() {
    for kind in [true, false] {
        let (packet, mut b) = sealed(kind, 20);
        let covered = if kind { packet.len() } else { DATA_OVERHEAD };
        for bit in 0..covered * 8 {
            let mut altered = packet.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(open_either(&mut b, kind, &altered).is_err(), "bit {bit}");
        }
        open_either(&mut b, kind, &packet).unwrap();
    }
}

/// [SEC-12]
#[test]
fn no_altered_packet_is_opened() {
    bolero::check!().with_type::<(bool, u8, Vec<(u16, u8)>, u8)>().for_each(
        |(kind, len, flips, cut)| {
            // a data packet without payload is malformed, altered or not
            let (packet, mut b) = sealed(*kind, (*len).max(1));
            let covered = if *kind { packet.len() } else { DATA_OVERHEAD };
            let mut altered = packet.clone();
            for (at, mask) in flips {
                altered[usize::from(*at) % covered] ^= mask;
            }
            altered.truncate(packet.len() - usize::from(*cut) % packet.len());
            let opened = open_either(&mut b, *kind, &altered);
            assert_eq!(opened.is_ok(), altered == packet);
        },
    );
}

#[test]
fn arbitrary_bytes_are_refused_without_a_panic() {
    bolero::check!().with_type::<(bool, Vec<u8>)>().for_each(|(tag, bytes)| {
        let (_, mut b) = pair(KeyLimits::default());
        let mut bytes = bytes.clone();
        for kind in [true, false] {
            if let (true, Some(first)) = (*tag, bytes.first_mut()) {
                *first = if kind { 0x10 } else { 0x11 };
            }
            assert!(open_either(&mut b, kind, &bytes).is_err());
        }
    });
}

/// [SEC-20] Whatever order packets arrive in, and how often, each is opened once at most.
#[test]
fn each_packet_is_opened_once_in_any_order() {
    bolero::check!().with_type::<Vec<(u8, u8)>>().for_each(|arrivals| {
        let limits = KeyLimits::default()
            .with_epoch_packets(16)
            .and_then(|limits| limits.with_replay_window(64))
            .unwrap();
        let (mut a, mut b) = pair(limits);
        let packets: Vec<_> = (0..64).map(|_| control(&mut a, 0, b"frames")).collect();
        let mut opened = std::collections::BTreeSet::new();
        for (index, altered) in arrivals {
            let mut packet = packets[usize::from(*index) % packets.len()].clone();
            let genuine = altered % 4 != 0;
            if !genuine {
                let at = usize::from(*altered) % packet.len();
                packet[at] ^= 0x40;
            }
            if let Ok(number) = open(&mut b, &packet) {
                assert!(genuine, "a forged packet was opened");
                assert!(opened.insert(number), "opened twice");
            }
        }
    });
}
