//! An e-mail address, parsed once at the boundary.

use std::fmt;

/// A valid address: one `@`, an ASCII local part, an ASCII domain (IDN in punycode).
///
/// Equality ignores case: the local part is sent as written, but two addresses that differ only by case are one person (no
/// provider we know distinguishes them).
#[derive(Clone)]
pub struct EmailAddress {
    local: String,
    domain: String,
}

/// Why a text is not an address, readable for the person who wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("no address")]
    Empty,
    #[error("expected one @ between a name and a domain")]
    NoAt,
    #[error("the part before @ may hold only unaccented letters, digits and .!#$%&'*+/=?^_`{{|}}~-")]
    LocalPart,
    #[error("the domain after @ is not a domain name")]
    Domain,
    #[error("longer than 254 characters")]
    TooLong,
}

impl InvalidAddress {
    /// For those who read French.
    pub fn in_french(&self) -> &'static str {
        match self {
            InvalidAddress::Empty => "pas d’adresse",
            InvalidAddress::NoAt => "il faut un @ entre un nom et un domaine",
            InvalidAddress::LocalPart => {
                "avant le @, seuls sont possibles les lettres sans accent, les chiffres et .!#$%&'*+/=?^_`{|}~-"
            }
            InvalidAddress::Domain => "ce qui suit le @ n’est pas un nom de domaine",
            InvalidAddress::TooLong => "plus de 254 caractères",
        }
    }
}

impl EmailAddress {
    /// # Errors
    /// When the text is not an address that every relay accepts (RFC 5321 4.1.2 without quoted local parts, which no
    /// partner has, and without SMTPUTF8, which most French relays refuse).
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidAddress::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress::NoAt)?;
        let atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        if local.is_empty() || local.len() > 64 || !local.split('.').all(|a| !a.is_empty() && a.chars().all(atext)) {
            return Err(InvalidAddress::LocalPart);
        }
        let domain = match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) => domain,
            _ => return Err(InvalidAddress::Domain),
        };
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if !domain.contains('.') || !domain.split('.').all(label) {
            return Err(InvalidAddress::Domain);
        }
        if local.len() + 1 + domain.len() > 254 {
            return Err(InvalidAddress::TooLong);
        }
        Ok(Self { local: local.to_owned(), domain })
    }

    /// Identifies the person: the address in lower case.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_ascii_lowercase(), self.domain)
    }

    /// The domain in lower case, which selects the lane.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// For logs (invariant I7): `e***@p***.fr`.
    pub fn masked(&self) -> String {
        let initial = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        let suffix = self.domain.rsplit('.').next().unwrap_or_default();
        format!("{}***@{}***.{suffix}", initial(&self.local), initial(&self.domain))
    }
}

/// `MAIL FROM` as configured: one address for all messages, or a pattern of which each delivery has its own (VERP, so that a
/// bounce names the delivery it is about): `retours+*@lettre.office.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath {
    /// Before the star, or the whole local part.
    before: String,
    /// After the star; `None`: there is no star.
    after: Option<String>,
    domain: String,
}

/// Characters of [`crate::tokens::Tokens::return_token`], which replaces the star.
pub const RETURN_TOKEN: usize = 42;

/// Why a text is not a return path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReturnPath {
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("expected at most one *, which stands for what differs from delivery to delivery")]
    Stars,
    #[error("leave at most {} characters around the *: RFC 5321 allows 64 before the @", 64 - RETURN_TOKEN)]
    TooLong,
}

impl ReturnPath {
    /// # Errors
    /// If it is not an address, has several stars, or is too long once the star is replaced.
    pub fn parse(text: &str) -> Result<Self, InvalidReturnPath> {
        let EmailAddress { local, domain } = EmailAddress::parse(text)?;
        let Some((before, after)) = local.split_once('*') else {
            return Ok(Self { before: local, after: None, domain });
        };
        if after.contains('*') {
            return Err(InvalidReturnPath::Stars);
        }
        if before.len() + after.len() + RETURN_TOKEN > 64 {
            return Err(InvalidReturnPath::TooLong);
        }
        Ok(Self { before: before.to_owned(), after: Some(after.to_owned()), domain })
    }

    /// Of the delivery with this token; the one address if there is no star.
    pub fn of(&self, token: &str) -> EmailAddress {
        let local = match &self.after {
            Some(after) => format!("{}{token}{after}", self.before),
            None => self.before.clone(),
        };
        EmailAddress { local, domain: self.domain.clone() }
    }

    /// Of a message that is no delivery, such as a test: without the star and the sign that sets it off. `postmaster`, which every
    /// domain has (RFC 5321 4.5.1), if nothing is left.
    pub fn plain(&self) -> EmailAddress {
        let sign = |c| matches!(c, '+' | '-' | '=' | '.' | '_');
        let local = match &self.after {
            None => self.before.clone(),
            Some(after) => match [self.before.trim_end_matches(sign), after.trim_start_matches(sign)] {
                ["", ""] => "postmaster".to_owned(),
                [before, ""] => before.to_owned(),
                ["", after] => after.to_owned(),
                [before, after] => format!("{before}-{after}"),
            },
        };
        EmailAddress { local, domain: self.domain.clone() }
    }

    /// In lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl From<EmailAddress> for ReturnPath {
    fn from(EmailAddress { local, domain }: EmailAddress) -> Self {
        Self { before: local, after: None, domain }
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(after) => write!(f, "{}*{after}@{}", self.before, self.domain),
            None => write!(f, "{}@{}", self.before, self.domain),
        }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Masked, so that `{:?}` of anything that contains an address can be logged.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for EmailAddress {}

impl std::hash::Hash for EmailAddress {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A text of others with every address in it masked, as [`EmailAddress::masked`] does.
pub fn mask_addresses(text: &str) -> String {
    let ends_address = |c: char| c.is_whitespace() || "<>()[]{}\",;:«»".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let start =
            rest[..at].char_indices().rev().find(|(_, c)| ends_address(*c)).map_or(0, |(i, c)| i + c.len_utf8());
        let domain = &rest[at + 1..];
        let end = at + 1 + domain.find(|c: char| !c.is_alphanumeric() && !".-@".contains(c)).unwrap_or(domain.len());
        let address = rest[start..end].trim_end_matches('.');
        masked.push_str(&rest[..start]);
        match EmailAddress::parse(address) {
            Ok(address) => masked.push_str(&address.masked()),
            // What is no address of a partner may still be somebody's.
            Err(_) => masked.push_str("***@***"),
        }
        rest = &rest[start + address.len()..];
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commonly_accepted_addresses_are_valid() {
        for (text, key) in [
            ("Contact@Hotel-de-France.example", "contact@hotel-de-france.example"),
            ("  a.b+c@d.fr ", "a.b+c@d.fr"),
            ("gite@château.example", "gite@xn--chteau-xta.example"),
        ] {
            assert_eq!(EmailAddress::parse(text).map(|a| a.key()), Ok(key.to_owned()));
        }
    }

    #[test]
    fn invalid_addresses_are_refused_with_the_reason() {
        use InvalidAddress::*;
        for (text, why) in [
            ("", Empty),
            ("hotel", NoAt),
            ("@a.fr", LocalPart),
            ("a..b@c.fr", LocalPart),
            ("hôtel@c.fr", LocalPart),
            ("a b@c.fr", LocalPart),
            ("a\r\nBcc: x@c.fr", LocalPart),
            ("a@c", Domain),
            ("a@127.0.0.1", Domain),
            ("a@-c.fr", Domain),
            ("a@c_d.fr", Domain),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_masked_in_logs() {
        let address = EmailAddress::parse("eloise@partenaire.fr").unwrap();
        assert_eq!(format!("{address:?}"), "e***@p***.fr");
    }

    #[test]
    fn a_return_path_has_room_for_one_token() {
        let token = "k".repeat(RETURN_TOKEN);
        let of = |text: &str| ReturnPath::parse(text).map(|path| path.of(&token).to_string());
        assert_eq!(of("retours@a.example"), Ok("retours@a.example".to_owned()));
        assert_eq!(of("retours+*@A.example"), Ok(format!("retours+{token}@a.example")));
        assert_eq!(of("*@retours.a.example"), Ok(format!("{token}@retours.a.example")));
        assert_eq!(of(&format!("{}*@a.example", "x".repeat(22))).unwrap().find('@'), Some(64));
        assert_eq!(of(&format!("{}*@a.example", "x".repeat(23))), Err(InvalidReturnPath::TooLong));
        assert_eq!(of("a*b*@a.example"), Err(InvalidReturnPath::Stars));
        assert_eq!(of("retours+*"), Err(InvalidAddress::NoAt.into()));
    }

    #[test]
    fn a_message_that_is_no_delivery_has_the_address_without_the_star() {
        let plain = |text: &str| ReturnPath::parse(text).unwrap().plain().to_string();
        for (pattern, expected) in [
            ("retours+*@a.example", "retours@a.example"),
            ("*@a.example", "postmaster@a.example"),
            ("*-retours@a.example", "retours@a.example"),
            ("a-*-b@a.example", "a-b@a.example"),
            ("retours@a.example", "retours@a.example"),
        ] {
            assert_eq!(plain(pattern), expected);
        }
    }
}
