//! Roles and their permissions.

use crate::domain::{
    Timestamp,
    word_set::{Word, WordSet},
};

/// What a route of the console requires, and the role that grants it: each role is one permission, and a person has a set of
/// them. Every role lets its holder see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Role `lecture`: everything that is shown, except the accounts.
    See,
    /// Role `rédaction`: corrections, editorials, editions, orders, partners.
    Write,
    /// Role `validation`: approve, announce, waive.
    Approve,
    /// Role `exploitation`: pause, resume, stop, settle, reopen lanes.
    Operate,
    /// Role `administration`: accounts, erasure, replacing a list.
    Administer,
    /// Role `export`: taking the list of partners out of the console as a file. Goes with no other role.
    Export,
}

impl Permission {
    pub const ALL: [Permission; 6] = [
        Permission::See,
        Permission::Write,
        Permission::Approve,
        Permission::Operate,
        Permission::Administer,
        Permission::Export,
    ];

    /// The name of the role in the ledger and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::See => "lecture",
            Permission::Write => "redaction",
            Permission::Approve => "validation",
            Permission::Operate => "exploitation",
            Permission::Administer => "administration",
            Permission::Export => "export",
        }
    }
}

/// A set of roles; never empty in an account.
pub type Roles = WordSet<Permission>;

impl Word for Permission {
    const ALL: &'static [Self] = &Permission::ALL;
    const PLURAL: &'static str = "roles";

    fn as_str(self) -> &'static str {
        Permission::as_str(self)
    }

    /// Accents and capitals do not matter, and `admin` is short for `administration`.
    fn read(word: &str) -> Option<Self> {
        let word = word.to_lowercase().replace('é', "e");
        let found = Permission::ALL.into_iter().find(|role| role.as_str() == word);
        found.or((word == "admin").then_some(Permission::Administer))
    }
}

impl Roles {
    /// Whether somebody with these roles may do it.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::See => !self.is_empty(),
            other => self.has(other),
        }
    }

    /// Roles that decide, operate, administer or take the list out need a second factor.
    pub fn need_second_factor(self) -> bool {
        [Permission::Approve, Permission::Operate, Permission::Administer, Permission::Export]
            .into_iter()
            .any(|it| self.may(it))
    }
}

/// The id of an account, a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserId(pub String);

impl UserId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The language of the console for one person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    French,
    English,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::French, Language::English];

    /// As in `lang` of HTML.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::French => "fr",
            Language::English => "en",
        }
    }
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub user: UserId,
    pub name: String,
    pub roles: Roles,
    pub language: Language,
    /// What every form of the session carries, see [`super::code::form_token`].
    pub form_token: String,
    /// When the session ends unless it is used; `None` without one.
    pub ends: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set_each_with_its_own_permission_and_sight() {
        let director = Roles::parse("Validation, lecture").unwrap();
        assert_eq!(director.to_string(), "lecture,validation");
        assert!(director.may(Permission::See) && director.may(Permission::Approve));
        for other in [Permission::Write, Permission::Operate, Permission::Administer, Permission::Export] {
            assert!(!director.may(other), "{other:?}");
        }
        assert!(Roles::parse("rédaction").unwrap().may(Permission::See), "writing includes seeing");
        assert!(!Roles::default().may(Permission::See));
        assert_eq!(Roles::parse("admin").unwrap(), Roles::of([Permission::Administer]));
        assert!(Roles::parse("chef").unwrap_err().contains("exploitation"));
        assert!(Roles::parse("").is_err());
    }

    #[test]
    fn roles_that_decide_need_a_second_factor() {
        let needs = |text| Roles::parse(text).unwrap().need_second_factor();
        assert_eq!(
            ["lecture", "redaction", "validation", "exploitation", "administration", "export"].map(needs),
            [false, false, true, true, true, true]
        );
    }
}
