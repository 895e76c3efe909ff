//! Everything that makes a run: a network, a workload, faults and a seed, as a value and a file.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

pub use self::{
    error::{RunError, ScenarioError},
    outcome::Outcome,
    profile::Profile,
    run::Hooks,
    transport::Transport,
};
use crate::{
    net::{Fault, HostFault, NetworkSpec},
    scale::Retry,
    workload::Workload,
};

mod chaos;
mod error;
mod memory;
mod outcome;
mod profile;
mod run;
mod transport;

/// A run, but for the transport. The same scenario gives the same run, whenever and wherever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What to call it.
    pub name: String,
    /// Decides everything that is left to chance.
    #[serde(default)]
    pub seed: u64,
    /// What simulates it.
    #[serde(default)]
    pub engine: Engine,
    /// How dcquic's endpoints are configured.
    #[serde(default)]
    pub profile: Profile,
    /// Simulated time after which it ends at the latest, in nanoseconds, from the start of the
    /// workload.
    #[serde(default = "default_limit_ns")]
    pub limit_ns: u64,
    /// The transports to compare.
    #[serde(default = "default_transports")]
    pub transports: Vec<Transport>,
    /// What the application does about transfers that fail; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Compare every byte that is delivered, not only the ends of each piece.
    #[serde(default)]
    pub thorough: bool,
    /// The network. Its faults begin relative to the start of the workload.
    #[serde(default)]
    pub network: NetworkSpec,
    /// Who sends what to whom.
    pub workload: Workload,
    /// What befalls hosts, relative to the start of the workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_faults: Vec<HostFault>,
}

/// What simulates a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Whatever suits the scenario: the scale engine, which is the faster one at every size.
    #[default]
    Auto,
    /// A plain event loop, for any size.
    Scale,
    /// The Bach runtime with tasks for workers and applications, through the whole of the library;
    /// the same trace, for up to 128 NICs.
    Bach,
}

/// Long enough for a peer to be given up, twice.
const fn default_limit_ns() -> u64 {
    30_000_000_000
}

fn default_transports() -> Vec<Transport> {
    vec![Transport::Dcquic]
}

impl Scenario {
    /// A scenario with every default.
    pub fn new(name: &str, network: NetworkSpec, workload: Workload) -> Self {
        Self {
            name: name.to_owned(),
            seed: 1,
            engine: Engine::default(),
            profile: Profile::default(),
            limit_ns: default_limit_ns(),
            transports: default_transports(),
            retry: None,
            thorough: false,
            network,
            workload,
            host_faults: Vec::new(),
        }
    }

    /// Reads a scenario from a TOML file.
    ///
    /// # Errors
    /// The file cannot be read, or is no scenario.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = |error: io::Error| ScenarioError::File { path: path.into(), error };
        let text = fs::read_to_string(path).map_err(file)?;
        text.parse()
    }

    /// Writes it to a TOML file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ScenarioError> {
        let file = |error: io::Error| ScenarioError::File { path: path.into(), error };
        fs::write(path, self.to_toml()?).map_err(file)
    }

    /// As TOML.
    ///
    /// # Errors
    /// A number is larger than TOML can hold.
    pub fn to_toml(&self) -> Result<String, ScenarioError> {
        toml::to_string(self).map_err(|error| ScenarioError::Toml(error.to_string()))
    }

    /// Checks that it can be run.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and what would be right.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        self.network.validate()?;
        self.workload.validate(&self.network)?;
        if self.transports.is_empty() {
            return Err(ScenarioError::Invalid("transports is empty; name one".to_owned()));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(ScenarioError::Invalid(format!(
                "seed is {}, but must be below 2^63, as files hold no more",
                self.seed
            )));
        }
        if self.limit_ns == 0 || self.limit_ns > 1_000_000_000_000_000 {
            return Err(ScenarioError::Invalid(format!(
                "limit_ns is {}, but must be from 1 to 10^15",
                self.limit_ns
            )));
        }
        let hosts = self.network.topology.hosts();
        match self.host_faults.iter().find(|fault| fault.host >= hosts) {
            Some(fault) => Err(ScenarioError::Invalid(format!(
                "host_faults names host {}, but the network has hosts 0 to {}",
                fault.host,
                hosts - 1
            ))),
            None => Ok(()),
        }
    }

    /// The network with its faults `start_ns` later.
    fn network_from(&self, start_ns: u64) -> NetworkSpec {
        let mut network = self.network.clone();
        for fault in &mut network.faults {
            match fault {
                Fault::Down { at_ns, .. }
                | Fault::Partition { at_ns, .. }
                | Fault::Rate { at_ns, .. }
                | Fault::Delay { at_ns, .. } => *at_ns = at_ns.saturating_add(start_ns),
            }
        }
        network
    }
}

impl core::str::FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|error| ScenarioError::Toml(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
