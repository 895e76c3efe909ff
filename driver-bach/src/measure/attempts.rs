//! Which attempt of which transfer a number stands for.

/// The attempts at all transfers.
///
/// The first attempt at a transfer has the transfer's number, later ones have numbers above all of
/// these.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    transfers: usize,
    /// Transfer and attempt of each later number.
    later: Vec<(u32, u32)>,
    /// The current number of each transfer that has been tried again; the others have their own.
    current: Vec<u32>,
    states: Vec<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Delivered,
    Ended,
}

impl Attempts {
    pub(super) fn new(transfers: usize) -> Self {
        let states = vec![State::Open; transfers];
        Self { transfers, later: Vec::new(), current: (0..transfers as u32).collect(), states }
    }

    /// Attempts after the first, over all transfers.
    pub(super) fn further(&self) -> usize {
        self.later.len()
    }

    /// The transfer and the attempt that a number stands for.
    pub(super) fn of(&self, order: u32) -> Option<(u32, u32)> {
        match (order as usize).checked_sub(self.transfers) {
            None => Some((order, 0)),
            Some(later) => self.later.get(later).copied(),
        }
    }

    /// The number of the current attempt at a transfer.
    pub(super) fn current(&self, transfer: u32) -> u32 {
        self.current[transfer as usize]
    }

    /// An attempt is delivered; `false` if it was before.
    pub(super) fn deliver(&mut self, order: u32) -> bool {
        let state = core::mem::replace(&mut self.states[order as usize], State::Delivered);
        state != State::Delivered
    }

    /// An attempt ends without delivery; `None` if it had ended, or is not the current one.
    pub(super) fn end(&mut self, order: u32) -> Option<(u32, u32)> {
        let (transfer, attempt) = self.of(order)?;
        let state = &mut self.states[order as usize];
        if *state != State::Open {
            return None;
        }
        *state = State::Ended;
        (self.current(transfer) == order).then_some((transfer, attempt))
    }

    /// A number for an attempt; `None` if that or a later one was made.
    pub(super) fn again(&mut self, transfer: u32, attempt: u32) -> Option<u32> {
        let (_, latest) = self.of(self.current(transfer))?;
        if latest >= attempt {
            return None;
        }
        let order = (self.transfers + self.later.len()) as u32;
        self.later.push((transfer, attempt));
        self.states.push(State::Open);
        self.current[transfer as usize] = order;
        Some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_have_numbers_of_their_own() {
        let mut attempts = Attempts::new(3);
        assert_eq!(attempts.of(2), Some((2, 0)));
        assert_eq!(attempts.of(3), None);
        assert_eq!(attempts.end(2), Some((2, 0)));
        assert_eq!(attempts.end(2), None);
        assert_eq!(attempts.again(2, 1), Some(3));
        assert_eq!(attempts.again(2, 1), None);
        assert_eq!(attempts.of(3), Some((2, 1)));
        assert_eq!(attempts.current(2), 3);
    }

    #[test]
    fn an_attempt_is_delivered_once_and_an_old_one_does_not_end_the_transfer() {
        let mut attempts = Attempts::new(1);
        assert_eq!(attempts.again(0, 1), Some(1));
        assert!(attempts.deliver(0));
        assert!(!attempts.deliver(0));
        assert_eq!(attempts.end(0), None);
        assert_eq!(attempts.end(1), Some((0, 1)));
    }
}
