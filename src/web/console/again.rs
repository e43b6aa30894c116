//! What was typed into a form whose session had ended. The login forms carry it in hidden fields, and afterwards it is shown in its
//! form again, to the same account only. It is never submitted automatically.
//!
//! Only the fields that a route names ([`Keeps`]) are carried, never a secret; nothing is stored. The form is looked up among the
//! routes and asked for as a GET, which changes nothing.

use super::gate::Form;
use crate::accounts::{UserId, code};
use serde::Serialize;
use std::collections::BTreeMap;

/// The fields of a form that are shown again after a login.
#[derive(Debug, Clone, Copy)]
pub struct Keeps {
    /// What people type.
    pub texts: &'static [&'static str],
    /// What goes with it: numbers that were read, boxes that were ticked. `envoi-*`: all fields whose names begin with that.
    pub others: &'static [&'static str],
}

impl Keeps {
    pub(super) const NOTHING: Keeps = Keeps { texts: &[], others: &[] };

    fn keeps(self, name: &str) -> bool {
        self.texts.iter().chain(self.others).any(|kept| match kept.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *kept == name,
        })
    }
}

/// The longest texts that are carried, together, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest address of a form.
const LONGEST_PATH: usize = 500;
/// Field of a login's form: the address of the form that was filled in.
const PATH: &str = "retour";
/// Before the name of a field that is carried.
const PREFIX: &str = "repris.";
/// The form's own token; it says whose form it was.
const TOKEN: &str = "jeton";

/// A form that was filled in and not acted on.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Typed {
    pub path: String,
    /// Of the session that the form was shown in.
    #[serde(skip)]
    token: String,
    #[serde(skip)]
    fields: BTreeMap<String, String>,
    /// The texts, to be read and copied.
    texts: Vec<String>,
    /// What the login's form carries; empty if that is too much.
    carried: Vec<(String, String)>,
}

impl Typed {
    /// From the form itself. `None`: nothing was typed.
    pub(super) fn in_form(path: &str, keeps: Keeps, form: &Form) -> Option<Self> {
        Self::of(path, keeps, form.fields())
    }

    /// From a login's form. `all`: the routes that keep something. `None`: it carries nothing, or its address is not that of a form that keeps something.
    pub(super) fn carried(all: &[(&'static str, Keeps)], form: &Form) -> Option<Self> {
        let path = form.get(PATH);
        let (_, keeps) = all.iter().find(|(route, _)| is_at(route, path))?;
        Self::of(path, *keeps, form.fields().filter_map(|(name, text)| Some((name.strip_prefix(PREFIX)?, text))))
    }

    fn of<'a>(path: &str, keeps: Keeps, given: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let own = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\?#".contains(&byte));
        if !own || path.len() > LONGEST_PATH {
            return None;
        }
        let (mut fields, mut token) = (BTreeMap::new(), String::new());
        for (name, text) in given {
            match name {
                TOKEN => text.clone_into(&mut token),
                name if keeps.keeps(name) => drop(fields.insert(name.to_owned(), text.to_owned())),
                _ => {}
            }
        }
        let written = keeps.texts.iter().filter_map(|name| fields.get(*name)).filter(|text| !text.trim().is_empty());
        let texts: Vec<String> = written.cloned().collect();
        if texts.is_empty() {
            return None;
        }
        let mut carried = Vec::new();
        if fields.values().map(String::len).sum::<usize>() <= LONGEST {
            carried.extend([(PATH.to_owned(), path.to_owned()), (format!("{PREFIX}{TOKEN}"), token.clone())]);
            carried.extend(fields.iter().map(|(name, text)| (format!("{PREFIX}{name}"), text.clone())));
        }
        Some(Self { path: path.to_owned(), token, fields, texts, carried })
    }

    pub(super) fn is_of(&self, user: &UserId) -> bool {
        code::is_form_of(&self.token, user)
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

/// Whether the route answers at this address: `{…}` stands for one part of it.
fn is_at(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(known), Some(part)) if known.starts_with('{') && !part.is_empty() || known == part => {}
            _ => return false,
        }
    }
}

/// With an answer: the form is shown again instead of it.
#[derive(Debug, Clone)]
pub(super) struct ShowAgain {
    pub typed: Typed,
    /// The session that was just opened; `None`: that of the request.
    pub session: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPS: Keeps = Keeps { texts: &["pourquoi"], others: &["vu_alors", "envoi-*"] };
    const ROUTES: &[(&str, Keeps)] = &[("/envois/{mailing}/{period}/refuser", KEEPS)];

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn only_the_fields_that_a_route_names_are_carried() {
        let path = "/envois/agenda/2027-W28/refuser";
        let filled = form(&[
            ("pourquoi", "l’heure"),
            ("mot-de-passe", "secret"),
            ("jeton", "t"),
            ("vu_alors", ""),
            ("envoi-agenda", "oui"),
        ]);
        let typed = Typed::in_form(path, KEEPS, &filled).unwrap();
        let again = form(&typed.carried.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>());
        assert!(!format!("{typed:?}").contains("secret"));
        let typed = Typed::carried(ROUTES, &again).unwrap();
        assert_eq!((typed.path.as_str(), typed.get("pourquoi"), typed.token.as_str()), (path, "l’heure", "t"));
        assert!(typed.has("vu_alors") && typed.has("envoi-agenda") && !typed.has("mot-de-passe"));
        assert!(
            Typed::in_form(path, KEEPS, &form(&[("pourquoi", "  "), ("vu_alors", "n=1")])).is_none(),
            "nothing typed"
        );
    }

    #[test]
    fn a_login_leads_only_to_forms_of_the_console() {
        for path in [
            "//evil.example/a/b/refuser",
            "https://evil.example/x/refuser",
            "/envois/agenda/refuser",
            "/envois/agenda/2027-W28/refuser/",
            "/envois//2027-W28/refuser",
            "/envois/a/b?c/refuser",
            "/envois/a\\b/c/refuser",
            "/envois/a b/c/refuser",
            "/moi/mot-de-passe",
            "",
        ] {
            let it = form(&[("retour", path), ("repris.pourquoi", "mot")]);
            assert!(Typed::carried(ROUTES, &it).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_too_long_is_shown_and_not_carried() {
        let path = "/envois/agenda/2027-W28/refuser";
        let long = "é".repeat(LONGEST / 2);
        let typed = Typed::in_form(path, KEEPS, &form(&[("pourquoi", &long)])).unwrap();
        assert_eq!((typed.texts.len(), typed.carried.is_empty()), (1, false));
        let typed = Typed::in_form(path, KEEPS, &form(&[("pourquoi", &format!("{long}x"))])).unwrap();
        assert_eq!((typed.texts.len(), typed.carried.is_empty()), (1, true));
    }
}
