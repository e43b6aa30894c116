//! This machine: its clock, its disk, its database.

use super::{Finding, Topic, Verdict};
use crate::app::App;
use crate::views::check::{self, Level};
use crate::views::readiness::Disk;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    let (clock, report) = tokio::join!(clock(), check::place(app));
    let mut findings = vec![clock];
    findings.extend(disk(app));
    findings.extend(report.well.into_iter().map(|line| Finding::new(Topic::Machine, Verdict::Good, line)));
    findings.extend(report.findings.into_iter().map(|found| {
        let verdict = match found.level {
            Level::Error => Verdict::Bad,
            Level::Warning => Verdict::Warning,
        };
        let key = if found.key.is_empty() { String::new() } else { format!("{}: ", found.key) };
        Finding::new(Topic::Machine, verdict, format!("{key}{}", found.message))
    }));
    findings
}

/// Whether the system keeps its clock by the network. A wrong clock sends at the wrong hour, and makes valid certificates invalid.
async fn clock() -> Finding {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]).stdin(Stdio::null()).kill_on_drop(true);
    let said = timeout(Duration::from_secs(5), command.output()).await;
    let said = said.ok().and_then(Result::ok).filter(|it| it.status.success());
    match said.as_ref().map(|it| it.stdout.trim_ascii()) {
        Some(b"yes") => {
            Finding::new(Topic::Clock, Verdict::Good, "the clock of this machine is kept by the network (NTP)")
        }
        Some(b"no") => {
            Finding::new(Topic::Clock, Verdict::Warning, "the clock of this machine is not kept by the network (NTP)")
                .ask("switch it on: timedatectl set-ntp true")
        }
        _ => Finding::new(
            Topic::Clock,
            Verdict::Unknown,
            "whether the clock is kept by the network is not known: timedatectl does not say",
        )
        .ask("compare `date -u` with a clock that is right; in a container it is the clock of the host"),
    }
}

fn disk(app: &App) -> Option<Finding> {
    let place = app.config.state_directory()?;
    let disk = Disk::of(&place)?;
    let what = format!("{} % of the disk of {} is free", disk.free_percent(), place.display());
    Some(match disk.free_percent() < u64::from(app.config.alert.disk_free_percent) {
        true => Finding::new(Topic::Disk, Verdict::Bad, what)
            .ask("free space: nothing is sent when the ledger cannot be written"),
        false => Finding::new(Topic::Disk, Verdict::Good, what),
    })
}
