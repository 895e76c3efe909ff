use super::*;

fn keys(role: Role) -> SecretControlKeys {
    SecretControlKeys::new(&PathSecret::from_exporter(&[1; 32]), role)
}

/// [SEC-24]
#[test]
fn only_the_peer_opens_what_a_side_sealed_and_only_unaltered() {
    let (a, b) = (keys(Role::Initiator), keys(Role::Responder));
    let mut packet = [0x18; 48];
    a.seal(&mut packet).unwrap();
    b.open(&packet).unwrap();
    assert_eq!(a.open(&packet), Err(NotAuthentic), "reflected to its sender");
    let other = PathSecret::from_exporter(&[2; 32]);
    assert_eq!(SecretControlKeys::new(&other, Role::Responder).open(&packet), Err(NotAuthentic));
    for bit in 0..packet.len() * 8 {
        let mut altered = packet;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(b.open(&altered), Err(NotAuthentic));
    }
    for len in 0..packet.len() {
        assert_eq!(b.open(&packet[..len]), Err(NotAuthentic));
    }
    assert_eq!(a.seal(&mut [0; 15]), Err(SealError::Length));
}

/// [SEC-25]
#[test]
fn a_token_is_for_one_secret_and_one_key() {
    let psk = Psk::from_bytes([1; 32]);
    let tokens = UnknownSecretTokens::from_psk(&psk);
    let id = SecretId([7; 16]);
    let token = tokens.token(id);
    UnknownSecretTokens::from_psk(&Psk::from_bytes([1; 32])).verify(id, &token).unwrap();
    assert_eq!(tokens.verify(SecretId([8; 16]), &token), Err(NotAuthentic));
    let local = UnknownSecretTokens::from_local_key(&[1; 32]);
    assert_eq!(local.verify(id, &token), Err(NotAuthentic));
    for bit in 0..128 {
        let mut altered = token;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(tokens.verify(id, &altered), Err(NotAuthentic));
    }
}
