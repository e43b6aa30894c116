//! The tourist office that signs: what mail and printed page say of it.

use serde::{Deserialize, Serialize};

/// Only the name is sure; the rest is shown where it is known.
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
    /// When the door is open, in the office's own words.
    #[serde(default)]
    pub opening_hours: Option<String>,
}
