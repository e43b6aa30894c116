//! Templates: built in, or replaced by an operator's own. Strict: an unknown variable is an error, found at start by
//! rendering every template with its samples.

use crate::domain::{
    characters,
    french::{self, NBSP},
    issue::IssueKey,
    issue_name::{self, IssueName},
};
use crate::toml_reader;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, escape_formatter, syntax::SyntaxConfig};
use mrml::prelude::render::RenderOptions;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

#[derive(rust_embed::Embed)]
#[folder = "templates/"]
struct BuiltIn;

/// The context of a mail template: a name, a type, and samples.
pub trait Context: Serialize {
    /// The folder under `templates/mail/`.
    const NAME: &'static str;

    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// The context of a public page, like [`Context`] for a mail.
pub trait Page: Serialize {
    /// `templates/web/NAME.html`
    const NAME: &'static str;

    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// A rendered mail, without personal values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// `None` if the template has no `body.mjml`: a plain-text mail to staff.
    pub html: Option<String>,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("cannot read the template {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("template {name}{}: {why}", line.map(|l| format!(":{l}")).unwrap_or_default())]
    Broken { name: String, line: Option<usize>, why: String },
    #[error("template {name}: expected a file {name} in the templates folder; there is none, and none is built in")]
    Missing { name: String },
    #[error("template {name}: the result is no MJML: {why}")]
    Mjml { name: String, why: String },
}

#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

/// The key of an issue in words; any other text as it is.
fn in_words(key: &str, words: impl Fn(&IssueKey) -> String) -> String {
    IssueKey::parse(key).map_or_else(|_| key.to_owned(), |key| words(&key))
}

impl Templates {
    /// The built-in templates, replaced by files of the same name in `dir`.
    ///
    /// # Errors
    /// If a file cannot be read or is not a valid template.
    pub fn load(dir: Option<&Path>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(broken)?);
        environment.set_auto_escape_callback(|name| match Path::new(name).extension().and_then(|e| e.to_str()) {
            Some("mjml" | "html") => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        environment.set_formatter(formatted);
        environment.add_filter("wrapped", wrapped);
        environment.add_filter("issue_name", |key: &str| in_words(key, |key| IssueName::new(key).first()));
        environment.add_filter("issue_of", |key: &str| in_words(key, |key| IssueName::new(key).of()));
        environment.add_filter("issue_period", |key: &str| in_words(key, issue_name::period));
        environment.add_filter("upper_french", |text: &str| text.to_uppercase());
        for name in BuiltIn::iter() {
            let file = BuiltIn::get(&name).map(|f| f.data.into_owned()).unwrap_or_default();
            let source = String::from_utf8_lossy(&file).into_owned();
            environment.add_template_owned(name.into_owned(), source).map_err(broken)?;
        }
        for (name, path) in dir.map(files_below).transpose()?.unwrap_or_default() {
            let source = std::fs::read_to_string(&path).map_err(|source| TemplateError::Unreadable { path, source })?;
            environment.add_template_owned(name, source).map_err(broken)?;
        }
        add_texts(&mut environment)?;
        Ok(Self { environment })
    }

    /// A page of the console within `site`: `templates/console/NAME.html` sees `site`, `page` and `lang`, and `t("key")` is
    /// the text of that key in this language (`fr`, `en`).
    ///
    /// # Errors
    /// If the template is missing, or uses an unknown variable or key.
    pub fn console(
        &self,
        name: &str,
        lang: &str,
        site: &impl Serialize,
        page: &impl Serialize,
    ) -> Result<String, TemplateError> {
        #[derive(Serialize)]
        struct Framed<'a, S, P> {
            lang: &'a str,
            site: &'a S,
            page: &'a P,
        }
        self.render(&format!("console/{name}.html"), &Framed { lang, site, page })
    }

    /// # Errors
    /// If a template is missing, uses an unknown variable, or does not give valid MJML.
    pub fn mail<C: Context>(&self, context: &C) -> Result<Rendered, TemplateError> {
        let name = |file: &str| format!("mail/{}/{file}", C::NAME);
        let subject = self.render(&name("subject.txt"), context)?;
        let text = self.render(&name("body.txt"), context)?;
        let mjml = name("body.mjml");
        let html = match self.environment.get_template(&mjml) {
            Ok(_) => Some(html(&mjml, &self.render(&mjml, context)?)?),
            Err(_) => None,
        };
        Ok(Rendered { subject: one_line(&subject), html, text })
    }

    /// An HTML fragment, such as the banner above a mail to be approved.
    ///
    /// # Errors
    /// If the template is missing or uses an unknown variable.
    pub fn fragment(&self, name: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        self.render(name, context)
    }

    /// # Errors
    /// The first sample that does not render.
    pub fn check_fragment(&self, name: &str, samples: &[impl Serialize]) -> Result<(), TemplateError> {
        samples.iter().try_for_each(|sample| self.fragment(name, sample).map(drop))
    }

    /// A web page within `frame`, escaped as HTML: the template sees `site` and `page`.
    ///
    /// # Errors
    /// If the template is missing or uses an unknown variable.
    pub fn page<P: Page>(&self, frame: &impl Serialize, page: &P) -> Result<String, TemplateError> {
        #[derive(Serialize)]
        struct Framed<'a, F, P> {
            site: &'a F,
            page: &'a P,
        }
        self.render(&format!("web/{}.html", P::NAME), &Framed { site: frame, page })
    }

    /// Renders every sample of a page; returns how many there are.
    ///
    /// # Errors
    /// The first sample that does not render.
    pub fn check_page<P: Page>(&self, frame: &impl Serialize) -> Result<usize, TemplateError> {
        let samples = P::samples();
        samples.iter().try_for_each(|sample| self.page(frame, sample).map(drop))?;
        Ok(samples.len())
    }

    /// A static file, such as `web/style.css`: the operator's own, else the built-in one.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn file(&self, name: &str) -> Result<String, TemplateError> {
        let file = self.environment.get_template(name).map_err(|_| TemplateError::Missing { name: name.to_owned() })?;
        Ok(file.source().to_owned())
    }

    fn render(&self, name: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        let template =
            self.environment.get_template(name).map_err(|_| TemplateError::Missing { name: name.to_owned() })?;
        template.render(Serde(context)).map_err(broken)
    }

    /// Renders every sample of a context: done by `semainier check` and at start.
    ///
    /// # Errors
    /// The first sample that does not render.
    pub fn check<C: Context>(&self) -> Result<usize, TemplateError> {
        let samples = C::samples();
        samples.iter().try_for_each(|sample| self.mail(sample).map(drop))?;
        Ok(samples.len())
    }
}

/// The languages of the console.
pub const LANGUAGES: [&str; 2] = ["fr", "en"];

/// `t("key")`: the text of the console's dictionary in the language of the page; an unknown key is an error. `plural(n, one,
/// other)`: French has one of nothing, too. `number`: `20 000`.
fn add_texts(environment: &mut Environment<'static>) -> Result<(), TemplateError> {
    let mut texts: HashMap<&'static str, BTreeMap<String, String>> = HashMap::new();
    for language in LANGUAGES {
        let name = format!("console/{language}.toml");
        let source = environment.get_template(&name).map_err(broken)?.source().to_owned();
        let flat = toml_reader::flat(&source).map_err(|why| TemplateError::Broken { name, line: None, why })?;
        texts.insert(language, flat);
    }
    let language = |state: &State| -> &'static str {
        let lang = state.lookup("lang");
        let lang = lang.as_ref().and_then(Value::as_str).unwrap_or_default();
        LANGUAGES.into_iter().find(|it| *it == lang).unwrap_or(LANGUAGES[0])
    };
    environment.add_function("t", move |state: &State, key: &str| -> Result<String, minijinja::Error> {
        let text = texts.get(language(state)).and_then(|texts| texts.get(key));
        text.cloned().ok_or_else(|| {
            minijinja::Error::new(minijinja::ErrorKind::UndefinedError, format!("there is no text for the key {key}"))
        })
    });
    environment.add_function("plural", move |state: &State, n: u64, one: &str, other: &str| -> String {
        let is_one = if language(state) == "fr" { n < 2 } else { n == 1 };
        if is_one { one } else { other }.to_owned()
    });
    environment.add_filter("number", |n: u64| french::grouped(n));
    Ok(())
}

/// minijinja's formatter, without characters that are invalid in XML: a mail's body is XML before it is HTML.
fn formatted(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    let cleaned = value.as_str().map(characters::clean);
    match cleaned {
        Some(Cow::Owned(text)) if value.is_safe() => escape_formatter(out, state, &Value::from_safe_string(text)),
        Some(Cow::Owned(text)) => escape_formatter(out, state, &Value::from(text)),
        _ => escape_formatter(out, state, value),
    }
}

/// A subject is one line; its non-breaking spaces are kept.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn html(name: &str, mjml: &str) -> Result<String, TemplateError> {
    let bad = |why: String| TemplateError::Mjml { name: name.to_owned(), why };
    let parsed = mrml::parse(mjml).map_err(|why| bad(why.to_string()))?;
    // No web fonts: loading anything would reveal that a mail was opened.
    let options = RenderOptions { fonts: HashMap::new(), ..RenderOptions::default() };
    parsed.element.render(&options).map(|html| attributes_as_written(&html)).map_err(|why| bad(why.to_string()))
}

/// Undoes how mrml 6 writes attributes: with the escapes of Rust's `Debug`, so that a screen reader would read « \u{a0} » for each
/// non-breaking space, and a link with a backslash would lead elsewhere.
fn attributes_as_written(html: &str) -> String {
    let mut written = String::with_capacity(html.len());
    let mut rest = html;
    let (mut in_tag, mut in_value) = (false, false);
    while let Some(at) = rest.find(['<', '>', '"', '\\']) {
        written.push_str(&rest[..at]);
        let (mark, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match mark {
            b'\\' if in_value => {
                let (character, after) = unescaped(after).unwrap_or(('\\', after));
                rest = after;
                // Debug escapes quotes, too; as such they would end the value.
                match character {
                    '"' => written.push_str("&quot;"),
                    other => written.push(other),
                }
                continue;
            }
            b'<' if !in_value => in_tag = after.starts_with(|next: char| next.is_ascii_alphabetic()),
            b'>' if !in_value => in_tag = false,
            b'"' if in_tag => in_value = !in_value,
            _ => {}
        }
        written.push(char::from(mark));
    }
    written.push_str(rest);
    written
}

/// The character of an escape of `Debug`, without its backslash, and what follows it.
fn unescaped(text: &str) -> Option<(char, &str)> {
    if let Some((code, after)) = text.strip_prefix("u{").and_then(|code| code.split_once('}')) {
        return Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, after));
    }
    let mut letters = text.chars();
    let character = match letters.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        itself @ ('"' | '\'' | '\\') => itself,
        _ => return None,
    };
    Some((character, letters.as_str()))
}

fn broken(error: minijinja::Error) -> TemplateError {
    let name = error.name().unwrap_or("?").to_owned();
    let why = match error.kind() {
        minijinja::ErrorKind::UndefinedError => {
            format!("it asks for a value that is not there ({})", error.detail().unwrap_or("undefined"))
        }
        _ => error.to_string(),
    };
    TemplateError::Broken { name, line: error.line(), why }
}

/// Files below `dir`, with the names of templates: `mail/agenda/body.txt`.
fn files_below(dir: &Path) -> Result<Vec<(String, PathBuf)>, TemplateError> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |source| TemplateError::Unreadable { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(dir) {
                found.push((name.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    Ok(found)
}

/// Wraps lines at 72 characters, indenting continuation lines by `indent` spaces. Never breaks at non-breaking spaces.
fn wrapped(text: &str, indent: usize) -> String {
    const WIDTH: usize = 72;
    let margin = " ".repeat(indent);
    let mut lines = vec![String::new()];
    for word in text.split([' ', '\n', '\t']).filter(|w| !w.is_empty()) {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || indent + line.chars().count() + 1 + word.chars().count() <= WIDTH);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    // Non-breaking spaces are pointless in plain text, and some programs show them as a box.
    lines.join(&format!("\n{margin}")).replace([NBSP, '\u{202f}'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{exception::Kind, hold::Hold};

    #[test]
    fn attributes_are_as_the_template_wrote_them() {
        let mjml = "<mjml><mj-head><mj-title>Carte «\u{a0}Cœur\u{a0}»</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>\
            <a href=\"https://office.example/a\\b\" title=\"l&quot;e\u{301}te\u{301}\u{202f}!\">un \\u{a0} deux = \"\\n\"</a>\
            </mj-text></mj-column></mj-section></mj-body></mjml>";
        let html = html("x", mjml).unwrap();
        for whole in [
            "aria-label=\"Carte «\u{a0}Cœur\u{a0}»\"",
            "href=\"https://office.example/a\\b\"",
            "title=\"l&quot;e\u{301}te\u{301}\u{202f}!\"",
            ">un \\u{a0} deux = \"\\n\"</a>",
        ] {
            assert!(html.contains(whole), "{whole}: {html}");
        }
    }

    #[derive(Serialize)]
    struct Empty {}

    impl Context for Empty {
        const NAME: &'static str = "agenda";

        fn samples() -> Vec<Self> {
            vec![Empty {}]
        }
    }

    #[test]
    fn french_texts_of_the_console_do_not_break_before_their_signs() {
        let texts = toml_reader::flat(include_str!("../templates/console/fr.toml")).unwrap();
        for (key, text) in texts {
            let wrong = [" :", " ;", " ?", " !", " »", "« "].into_iter().find(|sign| text.contains(sign));
            assert_eq!(wrong, None, "{key} = {text:?}");
        }
    }

    #[test]
    fn a_missing_variable_is_reported_with_file_and_line() {
        let error = Templates::load(None).unwrap().check::<Empty>().unwrap_err().to_string();
        assert!(
            error.starts_with("template mail/agenda/subject.txt:1: it asks for a value that is not there"),
            "{error}"
        );
    }

    #[test]
    fn a_custom_template_replaces_the_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("mail/agenda")).unwrap();
        std::fs::write(dir.path().join("mail/agenda/subject.txt"), "Bonjour").unwrap();
        std::fs::write(dir.path().join("mail/agenda/body.txt"), "Texte").unwrap();
        std::fs::write(dir.path().join("mail/agenda/body.mjml"), "<mjml><mj-body></mj-body></mjml>").unwrap();
        let mail = Templates::load(Some(dir.path())).unwrap().mail(&Empty {}).unwrap();
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Bonjour", "Texte"));
    }

    /// Literal keys are `t("key")`; states come as data and have a prefix of their own.
    #[test]
    fn both_languages_of_the_console_have_the_same_keys_and_each_is_used() {
        let file = |name: &str| String::from_utf8(BuiltIn::get(name).unwrap().data.into_owned()).unwrap();
        let [french, english] = LANGUAGES.map(|it| toml_reader::flat(&file(&format!("console/{it}.toml"))).unwrap());
        assert_eq!(french.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
        assert!(french.values().chain(english.values()).all(|text| !text.trim().is_empty()));
        let pages: String =
            BuiltIn::iter().filter(|name| name.starts_with("console/")).map(|name| file(&name)).collect();
        const DATA: [&str; 54] = [
            "coming_",
            "delivery_",
            "event_",
            "fact_",
            "help_",
            "import_",
            "issue_",
            "kind_",
            "lane_",
            "level_",
            "nav_",
            "order_",
            "preview_",
            "problem_",
            "settings_",
            "timeline_",
            "trace_",
            "login_",
            "message_",
            "users_",
            "role_",
            "scope_",
            "tokens_",
            "webhooks_",
            "webhook_why_",
            "unfit_",
            "me_done_",
            "partner_",
            "partners_filter_",
            "person_done_",
            "person_wrong_",
            "segment_field_",
            "segment_is_",
            "sign_",
            "correct_done_",
            "edition_done_",
            "edition_missing_",
            "edition_save_",
            "orders_before_",
            "orders_done_",
            "correct_invalid",
            "correct_link",
            "correct_nothing",
            "correct_why_missing",
            "doubt_",
            "field_",
            "standing_",
            "held_act_",
            "exception_other_number",
            "exception_why_missing",
            "article_none",
            "status_",
            "code_wrong",
            "password_wrong",
        ];
        // Each decision has its texts, and no text is left of one that is gone.
        let decisions = crate::views::console::decide::Act::ALL.map(|act| act.as_str());
        let of_decisions = ["decide_", "decide_about_", "decide_button_", "done_"];
        let mut made: Vec<_> = decisions
            .iter()
            .chain([&crate::views::console::decide::FREEZE])
            .flat_map(|act| of_decisions.map(|prefix| format!("{prefix}{act}")))
            .collect();
        made.extend(["remis", "renvoyer", "abandonner"].iter().flat_map(|word| {
            ["uncertain_", "uncertain_about_", "uncertain_button_"].map(|prefix| format!("{prefix}{word}"))
        }));
        made.extend(["required", "optional", "missing"].map(|words| format!("decide_why_{words}")));
        let single =
            ["decide_look_first", "decide_edit", "done_second", "done_edit", "edit_too_long", "edition_online"];
        let of_sources = ["done_running", "done_unchanged", "done_held"];
        let of_errata = ["done_erratum", "done_erratum_asked", "erratum_no_words", "erratum_too_long"];
        made.extend(single.into_iter().chain(of_sources).chain(of_errata).map(str::to_owned));
        made.extend(crate::views::console::trace::ACTIONS.map(|action| format!("trace_{}", action.replace('.', "_"))));
        made.extend(crate::web::console::done_of_exceptions().map(|done| format!("done_{done}")));
        made.extend(Hold::KINDS.iter().chain(&["other"]).map(|kind| format!("held_need_{kind}")));
        made.extend(Kind::ALL.iter().filter(|kind| **kind != Kind::Article).flat_map(|kind| {
            ["exception_title_", "exception_about_", "exception_button_"].map(|it| format!("{it}{}", kind.as_str()))
        }));
        for key in &made {
            assert!(french.contains_key(key), "{key} has no text");
        }
        for key in french.keys() {
            let literal = pages.contains(&format!("t(\"{key}\")")) || made.contains(key);
            assert!(literal || DATA.iter().any(|prefix| key.starts_with(prefix)), "{key} is not used");
        }
        for (at, _) in pages.match_indices("t(\"") {
            // `text("…")` is another function.
            if pages[..at].ends_with(char::is_alphanumeric) {
                continue;
            }
            let Some((key, _)) = pages[at + 3..].split_once('"') else { continue };
            assert!(french.contains_key(key) || key.ends_with('_'), "{key} has no text");
        }
    }

    #[test]
    fn plain_text_is_wrapped_under_its_margin() {
        let text = format!("{} fin", "mot ".repeat(20).trim());
        let lines: Vec<_> = wrapped(&text, 4).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("    "), "{lines:?}");
    }
}
