//! The language of a post: sites with several (Polylang, WPML, TranslatePress) publish each post once per language, and a
//! newsletter wants one of them.

use url::Url;

/// Codes that sites put into addresses: of the languages that French offices translate into. A first part of a path such as
/// `/tv/` is not a language.
const CODES: [&str; 16] =
    ["fr", "en", "es", "de", "it", "nl", "pt", "oc", "ca", "eu", "ja", "br", "co", "zh", "ru", "pl"];

/// Whether something is in the language `wanted`, a code such as `fr`. `said`: what the source says of its language, such as
/// `en-GB`; otherwise its address tells: `/en/…`, `?lang=en`, `en.office.example`. In doubt it is.
pub fn is_in(wanted: &str, said: Option<&str>, url: Option<&str>) -> bool {
    let said = said.map(primary).filter(|code| !code.is_empty());
    said.or_else(|| of_address(&Url::parse(url?).ok()?)).is_none_or(|code| code == primary(wanted))
}

/// `en` of `en-GB`, `en_GB`.
fn primary(code: &str) -> String {
    code.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

fn of_address(url: &Url) -> Option<String> {
    let known = |code: &str| CODES.contains(&primary(code).as_str()).then(|| primary(code));
    let query = url.query_pairs().find(|(key, _)| key == "lang").and_then(|(_, code)| known(&code));
    let is_code = |part: &&str| part.len() == 2 || part.len() == 5 && part.as_bytes()[2] == b'-';
    let path = url.path_segments().and_then(|mut parts| parts.next()).filter(is_code).and_then(known);
    let host = url.host_str().and_then(|host| host.split_once('.')).map(|(first, _)| first);
    query.or(path).or_else(|| host.filter(is_code).and_then(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fr33_the_language_of_a_post_is_what_it_says_or_its_address() {
        let address = |path: &str| is_in("fr", None, Some(&format!("https://{path}")));
        for french in [
            "office.example/blog/cathedrale",
            "office.example/fr/cathedrale",
            "office.example/fr-fr/cathedrale",
            "office.example/?p=3&lang=fr",
            "fr.office.example/cathedrale",
            "office.example/tv/cathedrale",
            "office.example/entree-libre",
            "ot.office.example/x",
        ] {
            assert!(address(french), "{french}");
        }
        for other in [
            "office.example/en/cathedral",
            "office.example/en-gb/x",
            "en.office.example/x",
            "office.example/?p=3&lang=es",
        ] {
            assert!(!address(other), "{other}");
        }
        assert!(is_in("fr", Some("fr_FR"), Some("https://office.example/en/x")), "its own word is the first");
        assert!(!is_in("fr", Some("en-GB"), Some("https://office.example/x")) && is_in("en", Some("EN"), None));
        assert!(is_in("fr", None, None) && is_in("fr", Some(" "), Some("no address")));
    }
}
