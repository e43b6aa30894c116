//! The rules, each with its source and its words.

use super::{Finding, Place};
use serde::{Deserialize, Serialize};

/// How much a broken rule matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Receivers refuse or misfile it, or it shows what it must not: an issue is held.
    Error,
    /// It arrives, but less well than it could.
    Warning,
    /// A recommendation that mail programs do not enforce.
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Declares [`Rule`]: severity, source, and what is wrong in English and in French (a clause without capital and full stop).
macro_rules! rules {
    ($($name:ident $severity:ident $source:literal $english:literal $french:literal)+) => {
        /// What a message must keep to. Its source is [`Rule::source`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $(#[doc = concat!("Broken: `", $english, "`. Source: ", $source, ".")] $name,)+
        }

        impl Rule {
            pub const ALL: &[Rule] = &[$(Rule::$name),+];

            /// How serious it is; in a mail to one person some count for less.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$name => Severity::$severity),+ }
            }

            /// The standard, or who asks for it.
            pub fn source(self) -> &'static str {
                match self { $(Rule::$name => $source),+ }
            }

            /// What is wrong.
            pub fn in_english(self) -> &'static str {
                match self { $(Rule::$name => $english),+ }
            }

            /// What is wrong, for staff.
            pub fn in_french(self) -> &'static str {
                match self { $(Rule::$name => $french),+ }
            }
        }
    };
}

rules! {
    BareLineBreak Error "RFC 5321 2.3.8"
        "a CR or LF alone: lines end in CRLF"
        "une fin de ligne n’est pas celle du courrier (CR ou LF seul)"
    Nul Error "RFC 5322 2.2"
        "a NUL byte"
        "un octet nul s’y trouve"
    LongLine Error "RFC 5322 2.1.1"
        "a line of more than 998 bytes"
        "une ligne dépasse 998 octets"
    LongHeaderLine Note "RFC 5322 2.1.1"
        "a header line of more than 78 bytes that could be folded"
        "une ligne d’en-tête dépasse 78 octets"
    EightBitHeader Error "RFC 5322 2.2"
        "bytes that are not ASCII in a header"
        "un en-tête contient des caractères accentués non codés"
    MalformedHeader Error "RFC 5322 2.2"
        "a header line that is neither a name with its value nor the continuation of one"
        "une ligne d’en-tête est illisible"
    TooBig Error "default message_size_limit of Postfix"
        "more than 10,240,000 bytes"
        "le message est trop lourd pour beaucoup de messageries (plus de 10\u{a0}Mo)"
    HeaderMissing Error "RFC 5322 3.6, RFC 2045 4"
        "this header is missing"
        "cet en-tête manque"
    HeaderRepeated Error "RFC 5322 3.6"
        "this header occurs more than once"
        "cet en-tête figure plus d’une fois"
    BccHeader Error "RFC 5322 3.6.3"
        "a Bcc header, which shows other recipients"
        "des destinataires cachés y sont visibles"
    ListHeaderMissing Error "RFC 2919, RFC 8058 3.1"
        "a header that every message of a list has is missing"
        "un en-tête obligatoire des listes de diffusion manque"
    AutoSubmittedMissing Error "RFC 3834 5"
        "without Auto-Submitted, out-of-office replies come back"
        "rien ne dit que le message est automatique (Auto-Submitted)"
    AutoSubmittedForm Error "RFC 3834 5"
        "not auto-generated or auto-replied"
        "la valeur devrait être auto-generated"
    EncodedWordLong Error "RFC 2047 2"
        "an encoded-word of more than 75 characters"
        "un mot codé dépasse 75 caractères"
    EncodedWordBroken Error "RFC 2047 5"
        "an encoded-word that cannot be decoded by itself: it is split within a character, or damaged"
        "un mot codé est coupé au milieu d’un caractère, ou abîmé"
    HeaderControl Error "RFC 5322 2.2"
        "CR, LF or NUL once decoded: another header could be smuggled in"
        "un caractère de contrôle s’y cache"
    DateForm Error "RFC 5322 3.3"
        "not a date of a message"
        "la date est illisible"
    DateZone Error "RFC 5322 3.3"
        "the date has no numeric zone such as +0200"
        "la date n’a pas de fuseau horaire"
    MessageIdForm Error "RFC 5322 3.6.4"
        "not <local@domain>"
        "l’identifiant du message est mal formé"
    FromForm Error "RFC 5322 3.6.2"
        "not exactly one address"
        "il faut exactement une adresse"
    ToForm Error "RFC 5322 3.6.3"
        "no address that can be read"
        "l’adresse du destinataire est illisible"
    SeveralRecipients Warning "one recipient a message: others see the addresses"
        "more than one address"
        "plusieurs destinataires se voient l’un l’autre"
    DomainNotAscii Error "RFC 5890 2.3.2.1, RFC 5321 2.3.5"
        "a domain that is not written in punycode"
        "un nom de domaine accentué n’est pas codé (punycode)"
    ListIdForm Error "RFC 2919 3"
        "not a name and <identifier> of at most 255 characters with a domain"
        "l’identifiant de la liste est mal formé"
    ListIdDomain Warning "RFC 2919 3"
        "the identifier is not below the domain of From"
        "l’identifiant de la liste n’est pas du domaine de l’expéditeur"
    UnsubscribeForm Error "RFC 8058 3.1, RFC 2369 3.2"
        "not exactly one https URI, with or without a mailto URI beside it"
        "il faut exactement un lien https de désinscription"
    UnsubscribePost Error "RFC 8058 3.1"
        "not List-Unsubscribe=One-Click"
        "la désinscription en un clic est mal annoncée"
    UnsubscribeAddress Error "RFC 8058 3.1: opaque and hard to forge"
        "an address in clear in the link"
        "le lien de désinscription contient une adresse en clair"
    FeedbackIdMissing Warning "Gmail and Orange: complaints are counted by Feedback-ID"
        "no Feedback-ID"
        "l’en-tête des plaintes manque"
    FeedbackIdForm Error "Gmail: a:b:c:SenderId, SenderId of 5 to 15 characters"
        "not four fields of which the last has 5 to 15 characters"
        "l’en-tête des plaintes est mal formé"
    FeedbackIdPersonal Error "Gmail: no value unique to a person"
        "it identifies the recipient"
        "l’en-tête des plaintes identifie la personne"
    ReturnPathAlignment Warning "RFC 9989 (DMARC), relaxed alignment of SPF"
        "the return path is not of the domain of From, so SPF does not count for DMARC"
        "l’adresse de retour n’est pas du domaine de l’expéditeur"
    MimeVersion Error "RFC 2045 4"
        "not 1.0"
        "la version de MIME n’est pas 1.0"
    Multipart Error "RFC 2046 5.1.1"
        "a multipart without parts, or whose boundary is missing or never closed"
        "la structure du message est abîmée"
    Encoding Error "RFC 2045 6"
        "the content is not what its Content-Transfer-Encoding says"
        "le contenu est mal codé"
    Charset Error "RFC 2046 4.1.2"
        "the text is not of the declared charset"
        "le texte n’est pas dans le jeu de caractères annoncé"
    NoText Error "RFC 2046 5.1.4"
        "no plain text beside the HTML"
        "la version en texte seul manque"
    NoHtml Warning "RFC 2046 5.1.4"
        "no HTML beside the plain text"
        "la version HTML manque"
    EmptyPart Error "RFC 2046 5.1.4"
        "nothing to read"
        "il n’y a rien à lire"
    AlternativeOrder Error "RFC 2046 5.1.4"
        "the HTML stands before the plain text: programs show the last that they can"
        "la version HTML précède le texte seul"
    LinkOnlyInHtml Warning "RFC 2046 5.1.4: alternatives of the same information"
        "a link of the HTML is missing in the plain text"
        "un lien du HTML manque dans le texte seul"
    NoUnsubscribeLink Error "Gmail and Yahoo: a visible unsubscribe link; art. L34-5 CPCE"
        "no unsubscribe link"
        "le lien de désinscription manque"
    HtmlTooLong Warning "Gmail clips HTML at 102 kB"
        "too long: Gmail clips it"
        "la mise en page est trop longue et Gmail la coupe"
    NoAlt Error "WCAG 2.1 1.1.1"
        "a picture without alt"
        "une image n’a pas de texte de remplacement"
    TrackingPixel Error "CNIL, deliberation 2026-042: consent"
        "a remote picture of one pixel, or a hidden one"
        "une image invisible suit les lecteurs"
    RemoteImage Warning "fetching a picture tells who reads"
        "a picture that is fetched when the mail is opened"
        "une image est chargée depuis Internet à la lecture"
    BrokenPicture Error "RFC 2392 2"
        "a picture that is not in the message"
        "une image manque dans le message"
    ActiveContent Error "mail programs remove scripts and forms, filters refuse them"
        "a script, form, frame or object"
        "un script ou un formulaire s’y trouve"
    HttpLink Warning "RFC 9110 4.2.2: https"
        "an http link"
        "un lien n’est pas sécurisé (http)"
    LinkNotAscii Warning "RFC 3986, RFC 5890"
        "a link whose domain is not written in punycode"
        "le domaine d’un lien contient des accents"
    AddressInLink Error "RFC 8058 3.1; GDPR art. 5"
        "the recipient’s address in clear in a link"
        "un lien contient l’adresse du destinataire en clair"
    PlaceholderLeft Error "our own placeholders"
        "a placeholder was not filled in"
        "un champ personnel n’a pas été rempli"
    PlaceholderLike Warning "our own placeholders, and those of templates"
        "looks like a placeholder that was not filled in"
        "un texte ressemble à un champ non rempli"
    NoLang Warning "WCAG 2.1 3.1.1"
        "html without lang"
        "la langue n’est pas indiquée"
    AttachmentName Error "RFC 2183 2.3"
        "an attachment without a usable name, or a PDF whose name does not end in .pdf"
        "le nom d’une pièce jointe ne convient pas"
}

impl Finding {
    /// For staff: a clause without capital and full stop.
    pub fn in_french(&self) -> String {
        use crate::domain::french::NBSP;
        let place = match &self.place {
            Place::Message => String::new(),
            Place::Line(n) => format!("ligne {n}{NBSP}: "),
            Place::Header(name) => format!("en-tête {name}{NBSP}: "),
            Place::Text => format!("texte seul{NBSP}: "),
            Place::Html => format!("HTML{NBSP}: "),
            Place::Part(name) => format!("partie «{NBSP}{name}{NBSP}»{NBSP}: "),
        };
        let detail = if self.detail.is_empty() { String::new() } else { format!(" ({})", self.detail) };
        format!("{place}{}{detail}", self.rule.in_french())
    }
}
