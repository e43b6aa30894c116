//! Names and addresses: where bounces come back to, and what receivers see of the server that mail leaves from.

use super::{Finding, Record, Route, Topic, Verdict};
use crate::dns::{Dns, NoAnswer};
use futures_util::future::join_all;
use std::net::IpAddr;

const ASK_AGAIN: &str = "run it again; if it stays so, ask who hosts the DNS of the domain whether its servers answer";

/// MX of the return path's domain, and their addresses. Receivers refuse a sender that cannot receive (RFC 7505 4.1, Orange and
/// La Poste).
pub(super) async fn bounces(dns: &Dns, domain: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Bounces, verdict, what);
    let suggested = || Record::other(domain, "MX", "10 MAIL-SERVER-OF-YOUR-PROVIDER.");
    let ask = "ask the provider of the mailboxes for the MX record of this domain; postmaster@ and abuse@ must work";
    let servers = match dns.mail_servers(domain).await {
        Ok(servers) => servers,
        Err(why @ NoAnswer::Failed(_)) => {
            let what = format!("whether bounces to {domain} arrive is not known: {why}");
            return vec![finding(Verdict::Unknown, what).ask(ASK_AGAIN)];
        }
        Err(_) => {
            let what = format!("{domain}, the domain of the return path, has no MX");
            return match dns.addresses(domain).await {
                // RFC 5321 5.1: the domain itself stands in.
                Ok(_) => vec![
                    finding(
                        Verdict::Warning,
                        format!("{what}; bounces go to its own address, where a mail server must answer"),
                    )
                    .ask(ask)
                    .publish(suggested()),
                ],
                Err(NoAnswer::Failed(why)) => {
                    vec![
                        finding(Verdict::Unknown, format!("{what}, and whether it has an address is not known: {why}"))
                            .ask(ASK_AGAIN),
                    ]
                }
                Err(_) => vec![
                    finding(
                        Verdict::Bad,
                        format!("{what} and no address: bounces are lost, and receivers refuse such a sender"),
                    )
                    .ask(ask)
                    .publish(suggested()),
                ],
            };
        }
    };
    if servers.iter().any(String::is_empty) {
        let what = format!("{domain}, the domain of the return path, says that it receives no mail (null MX)");
        return vec![finding(Verdict::Bad, what).ask(ask).publish(suggested())];
    }
    let found = join_all(servers.iter().map(|server| dns.addresses(server))).await;
    let mut findings = Vec::new();
    for (server, found) in servers.iter().zip(&found) {
        match found {
            Ok(_) => {}
            Err(why @ NoAnswer::Failed(_)) => {
                findings.push(
                    finding(
                        Verdict::Unknown,
                        format!("the address of {server}, the MX of {domain}, is not known: {why}"),
                    )
                    .ask(ASK_AGAIN),
                );
            }
            Err(_) => findings.push(
                finding(Verdict::Bad, format!("{server}, the MX of {domain}, has no address"))
                    .ask("correct the MX record"),
            ),
        }
    }
    if found.iter().any(Result::is_ok) {
        findings.push(finding(Verdict::Good, format!("bounces to {domain} go to {}", servers.join(", "))));
    }
    findings
}

/// The names of the addresses that mail leaves from, forward-confirmed: Gmail, Orange and La Poste refuse others.
pub(super) async fn ptr(dns: &Dns, route: &Route, hello: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Ptr, verdict, what);
    let addresses = match route {
        Route::Direct(addresses) => addresses,
        Route::Provider(relay) => {
            return vec![finding(
                Verdict::Unknown,
                format!("the addresses behind {relay} are its operator's, and so are their names"),
            )];
        }
        Route::Hidden(_) => {
            return vec![
                finding(Verdict::Unknown, "the public address that mail leaves from is not known".to_owned())
                    .ask("give it with --from-address"),
            ];
        }
        Route::Nowhere => return Vec::new(),
    };
    let name = if hello.starts_with('[') { "NAME-OF-YOUR-SERVER" } else { hello };
    join_all(addresses.iter().map(|address| async move {
        let suggested = || Record::other(reverse(*address), "PTR", format!("{name}."));
        let ask = "ask whoever rents you the server to set the reverse name; the name must lead back to the address";
        let names = match dns.names_of(*address).await {
            Ok(names) => names,
            Err(why @ NoAnswer::Failed(_)) => {
                return finding(Verdict::Unknown, format!("whether {address} has a name is not known: {why}"))
                    .ask(ASK_AGAIN);
            }
            Err(_) => {
                return finding(Verdict::Bad, format!("{address} has no name (PTR)")).ask(ask).publish(suggested());
            }
        };
        for name in &names {
            if dns.addresses(name).await.is_ok_and(|back| back.contains(address)) {
                return finding(Verdict::Good, format!("{address} is {name}, and {name} leads back to it"));
            }
        }
        finding(Verdict::Bad, format!("{address} is named {}, which does not lead back to it", names.join(", ")))
            .ask(ask)
            .publish(suggested())
    }))
    .await
}

/// `10.2.0.192.in-addr.arpa`
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, d] = it.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(it) => {
            let digits: Vec<_> = format!("{:032x}", it.to_bits()).chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

/// RFC 5321 4.1.1.1: a name that resolves; receivers see it only where we deliver to them ourselves.
pub(super) async fn hello(dns: &Dns, route: &Route, hello: &str) -> Vec<Finding> {
    let finding = |verdict, what: String| Finding::new(Topic::Hello, verdict, what);
    let severity = match route {
        Route::Nowhere => return Vec::new(),
        Route::Provider(_) => Verdict::Warning,
        Route::Direct(_) | Route::Hidden(_) => Verdict::Bad,
    };
    let ask = "set delivery.hello (or myhostname of your Postfix) to a name that leads to the address of the server";
    if hello.starts_with('[') {
        return vec![
            finding(Verdict::Warning, format!("this machine has no full name, so EHLO says {hello}")).ask(ask),
        ];
    }
    vec![match dns.addresses(hello).await {
        Ok(_) => finding(Verdict::Good, format!("EHLO says {hello}, which has an address")),
        Err(why @ NoAnswer::Failed(_)) => {
            finding(Verdict::Unknown, format!("whether {hello} has an address is not known: {why}")).ask(ASK_AGAIN)
        }
        Err(why) => {
            let value = match route {
                Route::Direct(addresses) => addresses.first().map(ToString::to_string),
                _ => None,
            };
            let kind = if value.as_deref().is_some_and(|it| it.contains(':')) { "AAAA" } else { "A" };
            let record = Record::other(hello, kind, value.unwrap_or_else(|| "ADDRESS-OF-YOUR-SERVER".to_owned()));
            finding(severity, format!("EHLO says {hello}, which has no address: {why}")).ask(ask).publish(record)
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names_are_those_of_the_zone() {
        assert_eq!(reverse("192.0.2.10".parse().unwrap()), "10.2.0.192.in-addr.arpa");
        let six = reverse("2001:db8::1".parse().unwrap());
        assert!(six.starts_with("1.0.0.0.") && six.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"), "{six}");
    }
}
