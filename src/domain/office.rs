//! The tourist office as the sender, in mails and on printed pages.

use serde::{Deserialize, Serialize};

/// Only the name is required.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    pub name: String,
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub website: Option<String>,
    /// Opening hours, in the office's own words.
    #[serde(default)]
    pub opening_hours: Option<String>,
}
