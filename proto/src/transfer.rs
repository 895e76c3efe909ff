//! One message on its way: how it is cut into records, sent and put together (spec chapter 4).

pub mod inline_arena;
pub mod layout;
pub(crate) mod leaving;
pub(crate) mod receiver;
pub mod record_pool;
pub(crate) mod sender;
