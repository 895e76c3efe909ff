//! Who is served next, how much may be on its way, and how much may come unasked (spec chapter 6).
//!
//! - [`order`] says whose turn it is: at the receiver to be pulled from, at the sender to send;
//! - [`credit`] bounds what is pulled and has not arrived, in all and per sender;
//! - [`unscheduled`] divides the budget of bytes that senders may send before they are asked;
//! - [`levels`] orders what is new by priority: notifies, and by its [`weights`] the calls that the
//!   application starts.

pub(crate) mod credit;
pub(crate) mod levels;
pub(crate) mod order;
pub(crate) mod unscheduled;
pub(crate) mod weights;
