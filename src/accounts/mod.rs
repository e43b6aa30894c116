//! Who looks at the console, and what they may do there.

/// A user's id: never an address, never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserId(pub String);

/// What a page or an action asks of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Look at everything that is shown.
    See,
    /// Correct, write, announce, keep partners and orders.
    Write,
    /// Approve what leaves.
    Approve,
    /// Resume, stop, decide about what is uncertain.
    Operate,
    /// Users, tokens, erasures.
    Administer,
}

/// The permissions of a person: a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(std::collections::BTreeSet<Permission>);

impl Roles {
    pub fn new(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().collect())
    }

    /// Whether they include this permission; whoever may do anything may see.
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission) || permission == Permission::See && !self.0.is_empty()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    French,
    English,
}

impl Language {
    /// ISO 639-1, as in `lang="fr"`.
    pub fn code(self) -> &'static str {
        match self {
            Language::French => "fr",
            Language::English => "en",
        }
    }
}

/// The person who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub user: UserId,
    pub name: String,
    pub roles: Roles,
    pub language: Language,
}
