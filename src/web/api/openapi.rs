//! The OpenAPI 3.1 document. It is made from the table of routes, so that it has exactly those; the shapes are in `schemas.json`,
//! and a test compares real answers with them.

use super::{
    all_routes,
    gate::{Kind, LONGEST_TEXT, Param, Route},
    problem::Code,
};
use crate::accounts::Scope;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const SCHEMAS: &str = include_str!("schemas.json");
/// Problems of every route behind a token.
const EVERYWHERE: [Code; 8] = [
    Code::TokenMissing,
    Code::TokenInvalid,
    Code::ScopeMissing,
    Code::TooManyFailures,
    Code::ParameterUnknown,
    Code::ParameterInvalid,
    Code::RequestTimeout,
    Code::Unavailable,
];
/// Problems of a route that takes a body.
const OF_A_BODY: [Code; 3] = [Code::BodyInvalid, Code::BodyTooLarge, Code::MediaTypeUnsupported];

pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in all_routes() {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[if route.post { "post" } else { "get" }] = operation(&route);
    }
    let scopes: Vec<_> = Scope::ALL.into_iter().map(Scope::as_str).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "semainier",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "Mailings of a tourist office. Tokens are made in the console or with `semainier tokens add`; their scopes: {}. \
                 Errors are RFC 9457 problems with a `code`; unknown parameters are refused.",
                scopes.join(", ")
            ),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token, `sem_` and 43 characters." }
            },
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let doc = &route.doc;
    let mut parameters: Vec<Value> = named(route.path)
        .map(|name| {
            let schema = json!({ "type": "string" });
            json!({ "name": name, "in": "path", "required": true, "schema": schema, "example": example(route.path, name) })
        })
        .collect();
    parameters.extend(doc.query.iter().map(parameter));
    if doc.has_key {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Required unless `dry_run=true`. The same key with the same request gives the same answer for a day.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,100}$" },
        }));
    }
    let mut operation = json!({
        "operationId": doc.id,
        "summary": doc.about,
        "description": format!("Scope: `{}`.", route.scope.as_str()),
        "security": [{ "token": [route.scope.as_str()] }],
        "parameters": parameters,
        "responses": responses(route),
    });
    if let Some(takes) = doc.takes {
        // Bytes as they are: no JSON type says anything of them.
        let one = |kind: &&str| ((*kind).to_owned(), json!({ "schema": {} }));
        let content: Map<String, Value> = takes.media_types.iter().map(one).collect();
        operation["requestBody"] = json!({
            "required": true,
            "description": format!("At most {} kB.", takes.most_bytes / 1024),
            "content": content,
        });
    }
    operation
}

/// What may stand for a placeholder.
fn example(path: &str, name: &str) -> &'static str {
    match name {
        "period" => "2027-W28",
        "id" if path.starts_with("/orders") => "01a6a24db4cb",
        _ => "agenda",
    }
}

/// The placeholders of a path.
fn named(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameter(it: &Param) -> Value {
    let schema = match it.kind {
        Kind::Text => {
            json!({ "type": "string", "maxLength": LONGEST_TEXT, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" })
        }
        Kind::Number(most) => json!({ "type": "integer", "minimum": 1, "maximum": most }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
    };
    json!({ "name": it.name, "in": "query", "required": false, "description": it.about, "schema": schema })
}

fn responses(route: &Route) -> Value {
    let doc = &route.doc;
    let of_a_body = doc.takes.iter().flat_map(|_| OF_A_BODY);
    let mut problems = BTreeMap::<u16, Vec<&str>>::new();
    for code in EVERYWHERE.into_iter().chain(of_a_body).chain(doc.problems.iter().copied()) {
        problems.entry(code.status()).or_default().push(code.as_str());
    }
    let mut responses = Map::new();
    responses.insert(
        doc.status.to_string(),
        json!({
            "description": doc.about,
            "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{}", doc.schema) } } },
        }),
    );
    // A path with a placeholder that stays empty is another address.
    if named(route.path).next().is_some() && !problems.contains_key(&404) {
        problems.insert(404, vec![Code::NotFound.as_str()]);
    }
    for (status, codes) in problems {
        responses.insert(
            status.to_string(),
            json!({
                "description": codes.join(", "),
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            }),
        );
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_a_schema() {
        for route in all_routes() {
            let schemas: Value = serde_json::from_str(SCHEMAS).unwrap();
            assert!(schemas[route.doc.schema].is_object(), "{}", route.doc.schema);
        }
    }
}
