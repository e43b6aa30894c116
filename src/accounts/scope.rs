//! What a token of the API may do. No scope approves, sends, replaces a list or erases: a token can do none of it.

use crate::domain::word_set::{Word, WordSet};

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
pub type Scopes = WordSet<Scope>;

impl Word for Scope {
    const ALL: &'static [Self] = &Scope::ALL;
    const PLURAL: &'static str = "scopes";

    fn as_str(self) -> &'static str {
        Scope::as_str(self)
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
