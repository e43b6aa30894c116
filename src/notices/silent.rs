//! Once a year: how many contacts have given no sign of life for years, and where they are listed. They stay until a person decides.

use crate::app::Engine;
use crate::domain::{Timestamp, french::NBSP, issue::IssueKey, notice::Notice, schedule::at_local};
use crate::store::StoreError;
use crate::views::suppressions::{self, SILENT_YEARS as YEARS};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

/// When it is due: the season is far, and somebody is in the office.
const DUE: (u32, u32) = (2, 1);
const HOUR: u32 = 9;
/// Stands for the mailing in its key: `contacts/2027`.
const ABOUT: &str = "contacts";

/// Queues this year's mail, once, whatever number of daemons look, and only if there are such contacts: looked for in the first minute of
/// each hour, since it reads all contacts. A daemon that starts later in the year makes up for it.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(super) async fn queue(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let zone = engine.app.config.zone;
    let year = now.with_timezone(&zone).year();
    let due = NaiveDate::from_ymd_opt(year, DUE.0, DUE.1).zip(NaiveTime::from_hms_opt(HOUR, 0, 0));
    if now.minute() > 0 || due.is_none_or(|(day, hour)| now < at_local(zone, day, hour)) {
        return Ok(());
    }
    let key = IssueKey::new(ABOUT, year);
    let is_new = engine.store.notice_of(&key, Notice::Silent.name()).await?.is_none();
    let long_ago = suppressions::silent_since(now, YEARS);
    if is_new && !engine.store.silent_contacts(long_ago, None, 1).await?.is_empty() {
        engine.store.queue_notice(&key, &Notice::Silent, now).await?;
    }
    Ok(())
}

/// A sentence without full stop; `None`: there are none.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn words(engine: &Engine) -> Result<Option<String>, StoreError> {
    let n = suppressions::silent(engine, YEARS).await?.len() as u64;
    let silent = format!("aucun signe de vie depuis {YEARS} ans{NBSP}: ni commande, ni choix de ses envois");
    let rule = "ne se gardent pas sans fin";
    Ok(match n {
        0 => None,
        1 => Some(format!(
            "1 contact n’a donné {silent}. Ses données {rule}. Écrivez-lui qu’elles seront effacées, laissez un mois, puis effacez-le s’il \
             n’a pas répondu"
        )),
        n => Some(format!(
            "{n} contacts n’ont donné {silent}. Leurs données {rule}. Écrivez-leur qu’elles seront effacées, laissez un mois, puis \
             effacez ceux qui n’ont pas répondu"
        )),
    })
}
