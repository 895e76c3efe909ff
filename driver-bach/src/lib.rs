//! The Bach simulator as a dcquic driver.
