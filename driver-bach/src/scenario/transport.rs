//! The transports that a scenario can be run with.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// This project's.
    Dcquic,
    /// QUIC by quinn, with CUBIC.
    QuinnCubic,
    /// QUIC by quinn, with BBR.
    QuinnBbr,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dcquic, Self::QuinnCubic, Self::QuinnBbr];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dcquic => "dcquic",
            Self::QuinnCubic => "quinn-cubic",
            Self::QuinnBbr => "quinn-bbr",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "quinn" {
            return Ok(Self::QuinnCubic);
        }
        Self::ALL.into_iter().find(|transport| transport.name() == text).ok_or_else(|| {
            format!("{text:?} is no transport; there are dcquic, quinn-cubic and quinn-bbr")
        })
    }
}
