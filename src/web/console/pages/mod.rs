//! One file per page: the address is read, a view is asked, a template is rendered.

mod announce;
mod correct;
mod decide;
mod edition_form;
mod editions;
mod editorial;
mod erratum;
pub(super) mod exceptions;
mod filters;
mod home;
mod imports;
mod issue;
mod issues;
mod journal;
mod lists;
mod office;
mod orders;
pub(super) mod people;
mod person;
mod person_acts;
pub(super) mod preview;
mod repair;
mod segment;
mod trace;
mod uncertain;

use super::gate::{GET, POST, Route, route};
use crate::accounts::Permission;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use std::collections::HashMap;

/// Every page, with what it asks of the person.
pub(super) fn routes() -> Vec<Route> {
    let see = Permission::See;
    let mut all = vec![
        route(GET, "/", see, home::show),
        route(GET, "/envois", see, issues::list),
        route(GET, "/envois/{mailing}/{period}", see, issue::content),
        route(GET, "/envois/{mailing}/{period}/destinataires", see, issue::recipients),
        route(GET, "/envois/{mailing}/{period}/suivi", see, issue::progress),
        route(GET, "/envois/{mailing}/{period}/suivi/flux", see, issue::stream),
        route(GET, "/envois/{mailing}/{period}/histoire", see, issue::history),
        route(POST, "/envois/{mailing}/{period}/essai", Permission::Write, issue::test),
        route(GET, "/envois/{mailing}/{period}/apercu/{hash}", see, preview::page),
        route(GET, "/envois/{mailing}/{period}/apercu/{hash}/{file}", see, preview::file),
        route(GET, "/envois/{mailing}/{period}/corriger", see, correct::show),
        route(POST, "/envois/{mailing}/{period}/corriger", Permission::Write, correct::readmit),
        route(GET, "/envois/{mailing}/{period}/corriger/{target}", Permission::Write, correct::show_form),
        route(POST, "/envois/{mailing}/{period}/corriger/{target}", Permission::Write, correct::correct)
            .keeps(correct::KEEPS),
        route(POST, "/envois/{mailing}/{period}/corrections/{id}/retirer", Permission::Write, correct::withdraw),
        route(GET, "/envois/{mailing}/{period}/exception", Permission::Approve, exceptions::show),
        route(POST, "/envois/{mailing}/{period}/exception", Permission::Approve, exceptions::waive)
            .keeps(exceptions::KEEPS),
        route(POST, "/envois/{mailing}/{period}/exceptions/{id}/retirer", Permission::Approve, exceptions::withdraw),
        route(GET, "/envois/{mailing}/{period}/article", Permission::Write, exceptions::show_article),
        route(POST, "/envois/{mailing}/{period}/article", Permission::Write, exceptions::choose_article)
            .keeps(exceptions::KEEPS_ARTICLE),
        route(POST, "/envois/{mailing}/{period}/article/retirer", Permission::Write, exceptions::withdraw_article),
        route(GET, "/envois/{mailing}/{period}/edito", Permission::Write, editorial::show),
        route(POST, "/envois/{mailing}/{period}/edito", Permission::Write, editorial::save).keeps(editorial::KEEPS),
        route(GET, "/envois/{mailing}/{period}/rectificatif", Permission::Approve, erratum::show),
        route(POST, "/envois/{mailing}/{period}/rectificatif", Permission::Approve, erratum::act).keeps(erratum::KEEPS),
        route(GET, "/a-venir", see, home::coming),
        route(GET, "/journal", see, journal::show),
        route(GET, "/voies", see, office::lanes),
        route(GET, "/voies/{lane}/rouvrir", Permission::Operate, office::show_reopen),
        route(POST, "/voies/{lane}/rouvrir", Permission::Operate, office::reopen),
        route(GET, "/envois/{mailing}/{period}/incertains", Permission::Operate, uncertain::show),
        route(POST, "/envois/{mailing}/{period}/incertains", Permission::Operate, uncertain::act),
        route(GET, "/trace", see, trace::show),
        route(GET, "/reglages", see, office::settings),
    ];
    all.extend(decide::routes());
    all.extend(editions::routes());
    all.extend(edition_form::routes());
    all.extend(announce::routes());
    all.extend(orders::routes());
    all.extend(partners());
    all
}

fn partners() -> Vec<Route> {
    use person::{KEEPS_ADD, KEEPS_EDIT};
    let (see, write) = (Permission::See, Permission::Write);
    let mut all = vec![
        route(GET, "/partenaires", see, people::list),
        route(GET, "/partenaires/a-reparer", see, repair::show),
        route(GET, "/partenaires/segment", see, segment::show),
        route(GET, "/partenaires/segment/compte", see, segment::count),
        route(GET, "/partenaires/exporter", Permission::Export, people::show_export),
        route(POST, "/partenaires/exporter", Permission::Export, people::export)
            .keeps(people::KEEPS_EXPORT)
            .proven("partners"),
        route(GET, "/partenaires/importer", write, imports::show_form),
        route(POST, "/partenaires/importer", write, imports::upload).keeps(imports::KEEPS).takes(imports::FILES),
        route(GET, "/partenaires/importer/{id}", write, imports::show),
        route(POST, "/partenaires/importer/{id}", write, imports::act).keeps(imports::KEEPS_NUMBER),
        route(GET, "/partenaires/importer/{id}/flux", write, imports::stream),
        route(GET, "/partenaires/importer/{id}/refusees.csv", write, imports::refused),
        route(GET, "/partenaires/ajouter", write, person::show_add),
        route(POST, "/partenaires/ajouter", write, person::add).keeps(KEEPS_ADD),
        route(GET, "/partenaires/contacts/{id}", see, person::show),
        route(GET, "/partenaires/contacts/{id}/modifier", write, person::show_edit),
        route(POST, "/partenaires/contacts/{id}/modifier", write, person::edit).keeps(KEEPS_EDIT),
    ];
    all.extend(person_acts::routes());
    all
}

/// The query of an address. Of a name that is given twice the first counts; empty values are as if they were not given.
#[derive(Debug, Default)]
pub(super) struct Asked(HashMap<String, String>);

impl Asked {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Without these values, such as those that say what was just done.
    fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The same filters with one more value, for a link.
    fn with(&self, name: &str, value: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut names: Vec<_> = self.0.keys().filter(|it| *it != name).collect();
        names.sort();
        for name in names {
            if let Some(value) = self.get(name) {
                query.append_pair(name, value);
            }
        }
        query.append_pair(name, value);
        format!("?{}", query.finish())
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        /// Longer than any filter.
        const LONGEST: usize = 4 * 1024;
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > LONGEST {
            return Err(StatusCode::URI_TOO_LONG);
        }
        let mut asked = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()).take(60) {
            asked.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Ok(Self(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_filters_and_changes_one() {
        let asked = |pairs: &[(&str, &str)]| {
            Asked(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let it = asked(&[("q", "gîte & lac"), ("etat", "sent"), ("envoi", "")]);
        assert_eq!(it.with("apres", "a.1"), "?etat=sent&q=g%C3%AEte+%26+lac&apres=a.1");
        assert_eq!(it.with("etat", "failed"), "?q=g%C3%AEte+%26+lac&etat=failed");
        assert_eq!((it.get("envoi"), it.get("q")), (None, Some("gîte & lac")));
    }
}
