//! What is said of a file to the people who keep it: in English on the command line, in the language of the viewer in the console.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A message in both languages; displayed in English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub en: String,
    pub fr: String,
}

impl Said {
    /// `fr`: with ordinary blanks, also before colons and within quotation marks.
    pub fn new(en: String, fr: String) -> Self {
        let fr = [(" :", "\u{a0}:"), (" ;", "\u{a0};"), ("« ", "«\u{a0}"), (" »", "\u{a0}»")]
            .into_iter()
            .fold(fr, |fr, (blank, unbroken)| fr.replace(blank, unbroken));
        Self { en, fr }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// `said!("line {n}", "ligne {n}")`
macro_rules! said {
    ($en:literal, $fr:literal) => {
        $crate::partners::said::Said::new(format!($en), format!($fr))
    };
}
pub(super) use said;
