//! What a token of the API may do. No scope approves, sends, replaces a list or erases: a token can do none of it.

use std::fmt;

/// What a route of the API requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The state of the daemon, and what waits for a person.
    ReadStatus,
    /// Issues with their totals.
    ReadIssues,
    /// Deliveries with their attempts; persons are masked.
    ReadLog,
    /// Names and addresses of persons, where other scopes show them masked.
    ReadPersons,
    /// Reading an article without keeping it.
    CheckArticle,
    /// Having the sources of a mailing read again.
    TriggerReread,
    /// Orders of editions, and marking them as delivered.
    Orders,
    /// Importing partners; never removing one.
    WritePartners,
}

impl Scope {
    pub const ALL: [Scope; 8] = [
        Scope::ReadStatus,
        Scope::ReadIssues,
        Scope::ReadLog,
        Scope::ReadPersons,
        Scope::CheckArticle,
        Scope::TriggerReread,
        Scope::Orders,
        Scope::WritePartners,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::ReadStatus => "read:status",
            Scope::ReadIssues => "read:issues",
            Scope::ReadLog => "read:log",
            Scope::ReadPersons => "read:persons",
            Scope::CheckArticle => "check:article",
            Scope::TriggerReread => "trigger:reread",
            Scope::Orders => "orders",
            Scope::WritePartners => "write:partners",
        }
    }
}

/// A set of scopes; never empty in a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }

    /// Parses `read:status,orders`; blanks do not matter.
    ///
    /// # Errors
    /// When a word is not a scope, or none is given; the message lists the scopes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = || Scope::ALL.map(Scope::as_str).join(", ");
        let found = text.split(',').map(str::trim).map(|word| {
            let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
            found.ok_or_else(|| format!("expected scopes of {}, found {word:?}", known()))
        });
        Ok(Self::of(found.collect::<Result<Vec<_>, _>>()?))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

/// `read:status,orders`, in the order of [`Scope::ALL`].
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(Scope::as_str).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let all = Scopes::of(Scope::ALL);
        assert_eq!(Scopes::parse(&all.to_string()), Ok(all));
        assert_eq!(Scopes::parse(" orders , read:log").unwrap().to_string(), "read:log,orders");
        for wrong in ["", "orders,", "admin", "read:*", "Orders"] {
            assert!(Scopes::parse(wrong).unwrap_err().contains("write:partners"), "{wrong}");
        }
        assert!(Scope::ALL.iter().all(|it| Scopes::of([*it]).has(*it) && !Scopes::default().has(*it)));
    }
}
