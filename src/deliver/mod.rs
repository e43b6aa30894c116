//! Placeholder until the engine is merged.
#[derive(Debug)]
pub struct Relay;
impl std::str::FromStr for Relay {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.ends_with('@') { Err("expected a host".into()) } else { Ok(Relay) }
    }
}
