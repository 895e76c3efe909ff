//! The greatest value of this window and the one before.

/// A maximum over two windows, which the caller advances.
#[derive(Clone, Debug, Default)]
pub(super) struct MaxFilter {
    previous: u64,
    current: u64,
}

impl MaxFilter {
    /// Takes a value.
    pub(super) fn update(&mut self, value: u64) {
        self.current = self.current.max(value);
    }

    /// Begins a window, unless this one has seen nothing.
    pub(super) fn advance(&mut self) {
        if self.current > 0 {
            self.previous = core::mem::take(&mut self.current);
        }
    }

    /// Begins a window, even if this one has seen nothing.
    pub(super) fn expire(&mut self) {
        self.previous = core::mem::take(&mut self.current);
    }

    /// The greatest value.
    pub(super) fn get(&self) -> u64 {
        self.previous.max(self.current)
    }
}

#[cfg(test)]
mod tests;
