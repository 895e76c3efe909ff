//! One datagram: find its keys, open it, hand its frames to the peer.

use crate::{
    crypto::{HelloError, OpenError, PathKeys, hello_echo, hello_random, hello_respond},
    endpoint::{DropReason, Endpoint, context::Context},
    id::{PeerId, SecretId},
    link::{DatagramInfo, Ecn},
    peer::{Data, Peer, Session},
    time::Timestamp,
    wire::{
        frame::{Frame, Frames},
        packet::{DataFlags, PacketKind, peek_secret_id},
    },
};

impl Endpoint {
    /// Handles one datagram. Network noise changes nothing but a counter.
    pub(super) fn handle_packet(&mut self, now: Timestamp, info: &DatagramInfo, packet: &mut [u8]) {
        self.cx.stats.datagrams_received += 1;
        self.cx.stats.bytes_received += packet.len() as u64;
        let result = match PacketKind::peek(packet) {
            Some(PacketKind::Data) => self.handle_data(now, info, packet),
            Some(PacketKind::Control) => self.handle_control(now, info, packet),
            Some(PacketKind::HelloInit) => self.handle_hello_init(now, info, packet),
            Some(PacketKind::HelloReply) => self.handle_hello_reply(now, packet),
            // the peer's restart shows as silence until these are acted on
            Some(_) | None => Err(DropReason::UnknownType),
        };
        if let Err(reason) = result {
            self.cx.stats.drop_for(reason);
        }
    }

    fn handle_data(
        &mut self,
        now: Timestamp,
        info: &DatagramInfo,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        let secret = peek_secret_id(packet).ok_or(DropReason::Malformed)?;
        let Some(id) = self.peer_by_secret(&secret) else {
            // data can only be for transfers that a confirmed peer was told of
            return Err(DropReason::UnknownSecret);
        };
        let (peer, cx) = self.peer_and_context(id).ok_or(DropReason::UnknownSecret)?;
        let Session::Connected { keys, .. } = &mut peer.session else {
            return Err(DropReason::UnknownSecret);
        };
        let opened = keys.open_data(now, packet).map_err(drop_reason)?;
        let data = Data {
            transfer: opened.transfer,
            position: opened.position,
            payload: opened.payload,
            flags: DataFlags(opened.flags),
            congested: info.ecn == Ecn::Ce,
        };
        peer.on_arrival(cx, now, info, packet.len());
        peer.control.largest = peer.control.largest.max(opened.number);
        peer.on_heard(cx, now);
        peer.on_data(cx, now, &data);
        Ok(())
    }

    fn handle_control(
        &mut self,
        now: Timestamp,
        info: &DatagramInfo,
        packet: &mut [u8],
    ) -> Result<(), DropReason> {
        let len = packet.len();
        let secret = peek_secret_id(packet).ok_or(DropReason::Malformed)?;
        if let Some(id) = self.peer_by_secret(&secret) {
            let (peer, cx) = self.peer_and_context(id).ok_or(DropReason::UnknownSecret)?;
            // the keys leave the peer while frames borrow the packet they opened
            let Session::Connected { keys, .. } = &mut peer.session else {
                return Err(DropReason::UnknownSecret);
            };
            return open_and_handle(keys, now, packet, |frames, number| (frames, number)).map(
                |(frames, number)| {
                    peer.control.largest = peer.control.largest.max(number);
                    handle_frames(peer, cx, now, info, len, frames);
                },
            );
        }
        let Some(pending) = self.pending.get_mut(&secret) else {
            return Err(DropReason::UnknownSecret);
        };
        let (frames, number) =
            open_and_handle(&mut pending.keys, now, packet, |frames, number| (frames, number))?;
        let id = self.admit_pending(now, info, &secret)?;
        let (peer, cx) = self.peer_and_context(id).ok_or(DropReason::HelloLimit)?;
        peer.control.largest = number;
        handle_frames(peer, cx, now, info, len, frames);
        Ok(())
    }

    /// The sender of a pending hello has proved that it holds the keys.
    fn admit_pending(
        &mut self,
        now: Timestamp,
        info: &DatagramInfo,
        secret: &SecretId,
    ) -> Result<PeerId, DropReason> {
        if !self.make_room_for_peer() {
            return Err(DropReason::HelloLimit);
        }
        let pending = self.pending.take(secret).ok_or(DropReason::UnknownSecret)?;
        self.replace_failed(&info.remote);
        let id = self.reserve_peer().ok_or(DropReason::HelloLimit)?;
        let peer =
            Peer::greeted(id, info.remote, &pending.outcome, pending.keys, &mut self.cx, now);
        self.install_peer(id, peer);
        self.by_secret.insert(*secret, id);
        Ok(id)
    }

    fn handle_hello_init(
        &mut self,
        now: Timestamp,
        info: &DatagramInfo,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        let random = hello_random(packet).ok_or(DropReason::Malformed)?;
        self.pending.expire(now);
        if let Some(&reply) = self.pending.reply_to(&random) {
            // never more bytes than came: a hello is as long as its reply
            if self.replies.len() < self.cx.config.max_pending_hellos {
                self.replies.push_back((info.remote, reply));
            }
            return Ok(());
        }
        let (outcome, reply) =
            hello_respond(&self.psk, self.incarnation, &self.params, &mut self.hello_rng, packet)
                .map_err(hello_drop_reason)?;
        let config = &self.cx.config;
        let keys = self.path_keys(&outcome.secret, crate::id::Role::Responder);
        let expires = now + config.hello_timeout;
        let limit = config.max_pending_hellos;
        self.pending.insert(random, outcome, keys, reply, expires, limit);
        if self.replies.len() < limit {
            self.replies.push_back((info.remote, reply));
        }
        Ok(())
    }

    fn handle_hello_reply(&mut self, now: Timestamp, packet: &[u8]) -> Result<(), DropReason> {
        let random = hello_echo(packet).ok_or(DropReason::Malformed)?;
        let id = *self.greeting.get(&random).ok_or(DropReason::BadHello)?;
        let (peer, _) = self.peer_and_context(id).ok_or(DropReason::BadHello)?;
        let Session::Hello { initiator, .. } = &mut peer.session else {
            return Err(DropReason::BadHello);
        };
        let outcome = initiator.handle_reply(packet).map_err(hello_drop_reason)?;
        let remote = peer.remote;
        let keys = self.path_keys(&outcome.secret, crate::id::Role::Initiator);
        self.greeting.remove(&random);
        self.by_secret.insert(outcome.secret.id(), id);
        self.replace_failed(&remote);
        let (peer, cx) = self.peer_and_context(id).ok_or(DropReason::BadHello)?;
        peer.connect(cx, now, &outcome, keys);
        Ok(())
    }
}

fn open_and_handle<'a, T>(
    keys: &mut PathKeys,
    now: Timestamp,
    packet: &'a mut [u8],
    then: impl FnOnce(&'a [u8], crate::id::PacketNumber) -> T,
) -> Result<T, DropReason> {
    let opened = keys.open_control(now, packet).map_err(drop_reason)?;
    Ok(then(opened.frames, opened.number))
}

/// Hands every frame of an authentic packet to its handler.
fn handle_frames(
    peer: &mut Peer,
    cx: &mut Context,
    now: Timestamp,
    info: &DatagramInfo,
    len: usize,
    frames: &[u8],
) {
    peer.on_heard(cx, now);
    peer.on_arrival(cx, now, info, len);
    // what comes unasked takes its part of the link as well
    cx.charge_arrival(now, len);
    for frame in Frames::new(frames) {
        let Ok(frame) = frame else {
            cx.stats.drop_for(DropReason::Malformed);
            break;
        };
        match frame {
            Frame::TransferNotify(notify) => peer.on_notify(cx, now, &notify),
            Frame::TransferAccept(accept) => peer.on_accept(cx, now, &accept),
            Frame::PullRequest(pull) => peer.on_pull(cx, now, &pull),
            Frame::RangeAck(ack) => peer.on_range_ack(cx, now, &ack),
            Frame::ArrivalReport(report) => peer.on_arrival_report(cx, now, &report),
            Frame::CancelPull(cancel) => peer.on_cancel_pull(cx, &cancel),
            Frame::FlowReset(reset) => peer.on_flow_reset(cx, &reset),
            Frame::StreamClose(close) => peer.on_stream_close(cx, &close),
            Frame::StreamCredit(credit) => peer.on_stream_credit(cx, &credit),
            Frame::StreamBlocked(blocked) => peer.on_stream_blocked(cx, blocked),
            Frame::StreamCloseAck(ack) => peer.on_stream_close_ack(ack.stream),
            Frame::Probe(probe) => peer.on_probe(cx, now, probe.nonce),
            Frame::TransferChallenge(challenge) => {
                peer.on_challenge(cx, challenge.transfer, challenge.nonce);
            }
            Frame::ProbeResponse(response) => peer.on_probe_response(cx, now, response.nonce),
            // nothing waits for these: having heard the packet is what counts
            Frame::Padding(_) | Frame::TransferChallengeResponse(_) | Frame::Unknown { .. } => {}
            // reserved: this version never grants or asks for them
            Frame::PathChallenge(_)
            | Frame::PathResponse(_)
            | Frame::PathStatus(_)
            | Frame::PathAbandon(_)
            | Frame::Withdraw(_) => {}
        }
    }
    peer.settle_woken(cx, now);
}

fn drop_reason(error: OpenError) -> DropReason {
    match error {
        OpenError::Malformed(_) => DropReason::Malformed,
        OpenError::Replayed => DropReason::Replayed,
        OpenError::TooOld => DropReason::TooOld,
        OpenError::UnknownEpoch => DropReason::UnknownEpoch,
        OpenError::NotAuthentic => DropReason::NotAuthentic,
        _ => DropReason::Limit,
    }
}

fn hello_drop_reason(error: HelloError) -> DropReason {
    match error {
        HelloError::Malformed(_) => DropReason::Malformed,
        _ => DropReason::BadHello,
    }
}
