//! What a packet or frame says, for people.
