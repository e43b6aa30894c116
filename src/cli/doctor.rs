//! `semainier doctor`: what the office's domain, relay and machine need so that mail arrives.

use super::{Context, Ended, show};
use crate::views::doctor::{self, Finding, Question, Record, Report, Verdict};
use anyhow::bail;
use std::net::{IpAddr, SocketAddr};

pub(super) const AFTER_HELP: &str = "\
Asks the DNS, greets the relay without sending a message, and looks at this machine. Changes nothing.
Exit code 1 if something is bad, 0 if there are only warnings or things that cannot be known from here.
A record to publish is shown as `host type TTL value`; a long TXT value is in strings of at most 255 characters, \
which some forms want joined.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The domain of From [default: that of sender.address]
    #[arg(long)]
    domain: Option<String>,
    /// The selector of the DKIM key
    #[arg(long)]
    selector: Option<String>,
    /// A public address that mail leaves from, where it cannot be found out; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    from_address: Vec<IpAddr>,
    /// Ask this name server instead of those of the system
    #[arg(long, value_name = "ADDRESS:PORT")]
    nameserver: Option<SocketAddr>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let domain = args.domain.as_deref().map(domain_name).transpose()?;
    let question =
        Question { domain, selector: args.selector, nameserver: args.nameserver, addresses: args.from_address };
    let report = doctor::examine(&app, &question).await?;
    match args.json {
        true => show::json(&report)?,
        false => table(&report),
    }
    Ok(if report.count(Verdict::Bad) > 0 { Ended::Failed } else { Ended::Done })
}

/// In punycode.
fn domain_name(text: &str) -> anyhow::Result<String> {
    match url::Host::parse(text.trim().trim_end_matches('.')) {
        Ok(url::Host::Domain(domain)) if domain.contains('.') => Ok(domain),
        _ => bail!("{text:?} is not a domain name"),
    }
}

fn table(report: &Report) {
    show::line(format!("mail from {}, bounces to {}", report.domain, report.return_path_domain));
    for (title, verdicts) in [
        ("What is good", &[Verdict::Good][..]),
        ("What to do", &[Verdict::Bad, Verdict::Warning]),
        ("What cannot be known from here", &[Verdict::Unknown]),
    ] {
        let mut found: Vec<_> = report.checks.iter().filter(|it| verdicts.contains(&it.verdict)).collect();
        // What is bad comes first.
        found.sort_by_key(|it| it.verdict);
        if !found.is_empty() {
            show::line(format!("\n{title}"));
            found.into_iter().for_each(show_finding);
        }
    }
    let (bad, warnings) = (report.count(Verdict::Bad), report.count(Verdict::Warning));
    show::line(format!("\n{bad} bad, {warnings} warnings, {} unknown", report.count(Verdict::Unknown)));
}

fn show_finding(found: &Finding) {
    let level = match found.verdict {
        Verdict::Bad => "bad: ",
        Verdict::Warning => "warning: ",
        Verdict::Good | Verdict::Unknown => "",
    };
    show::line(format!("  {:<10} {level}{}", found.topic.name(), found.what));
    if let Some(ask) = &found.ask {
        show::line(format!("             -> {ask}"));
    }
    if let Some(Record { host, kind, ttl, value, strings }) = &found.publish {
        let value = match &strings[..] {
            [] => value.clone(),
            strings => strings.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(" "),
        };
        show::line(format!("             publish: {host} {kind} {ttl} {value}"));
    }
}
