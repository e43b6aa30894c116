"""The three mailings on their way to a partner's mailbox, and what cannot be delivered on its way back.

Run by scripts/mailhost in namespaces of its own: gate.py SEMAINIER FOLDER. The messages that arrived are left in FOLDER.
"""

import json
import pathlib
import smtplib
import sys

import dns
import office
import partners
from machine import MEMORY, REPOSITORY, Failed, Machine, keep, sh, wait_for, write
from office import deliveries, semainier, what_came_back
from partners import mailbox, verdicts

NAMESERVER, STRANGER = "192.0.2.53", "203.0.113.9"
PASS = {"dkim": "pass", "spf": "pass", "dmarc": "pass"}
REPLY_TO = f"communication@{office.DOMAIN}"


def zone():
    """What docs/operations.md tells an office to publish, and the partners' names."""
    spf, dmarc = f"v=spf1 ip4:{office.ADDRESS} -all", f"v=DMARC1; p=none; rua=mailto:dmarc@{office.DOMAIN}"
    return [
        f"{office.HOST} A {office.ADDRESS}",
        f"{dns.reverse(office.ADDRESS)} PTR {office.HOST}",
        f"{office.DOMAIN} MX {office.HOST}",
        f"{office.RETURN_DOMAIN} MX {office.HOST}",
        f"{office.RETURN_DOMAIN} TXT {spf}",
        f"_dmarc.{office.DOMAIN} TXT {dmarc}",
        f"{partners.HOST} A {partners.ADDRESS}",
        f"{dns.reverse(partners.ADDRESS)} PTR {partners.HOST}",
        f"{partners.DOMAIN} MX {partners.HOST}",
    ]


def good(what):
    print(f"  {what}", flush=True)


def expect(what, seen, wanted):
    if seen != wanted:
        raise Failed(f"{what}: {seen}, not {wanted}")
    good(f"{what}: {', '.join(f'{key}={value}' for key, value in seen.items()) if isinstance(seen, dict) else seen}")


def arrived(mailing, folder):
    """The mailing in its folder of Éloïse's mailbox, with its verdicts; it is kept for the other gates."""
    found = wait_for(f"{mailing} in the folder {partners.FOLDERS[mailing]}", lambda: mailbox("eloise", partners.FOLDERS[mailing]), 40)
    expect(f"{mailing}, filed by its List-Id", verdicts(found[0]), PASS)
    if len(found) != 1:
        raise Failed(f"{mailing} arrived {len(found)} times")
    (folder / f"{mailing}.eml").write_bytes(found[0])
    return found[0]


def as_it_left(message):
    """Without what servers on the way wrote above it."""
    return message[message.index(b"DKIM-Signature:") :]


def send(message, source, sender, recipient="witness", hello=office.HOST):
    """Hands a message to the partners' server from an address of ours."""
    with smtplib.SMTP(partners.ADDRESS, 25, hello, source_address=(source, 0)) as smtp:
        smtp.sendmail(sender, [f"{recipient}@{partners.DOMAIN}"], message)


def s32_what_is_altered_or_forged_does_not_pass(message):
    """Verdicts that only ever say `pass` would prove nothing."""
    left = as_it_left(message)
    own = f"retours+1@{office.RETURN_DOMAIN}"
    tampered = left.replace(b"10 h 30", b"11 h 30", 1).replace(b"10=C2=A0h=C2=A030", b"11=C2=A0h=C2=A030", 1)
    if tampered == left:
        raise Failed("the agenda has no « 10 h 30 » to tamper with")
    forged = b"\r\n".join([
        f"From: Office <partenaires@{office.DOMAIN}>".encode(), b"To: witness@partenaire.example", b"Subject: Facture",
        b"Date: Mon, 30 Nov 2026 10:00:00 +0100", b"Message-ID: <1@stranger.example>", b"", b"Payez ici.", b"",
    ])
    for what, sent, source, sender, wanted in (
        ("a copy with another hour in it", tampered, office.ADDRESS, own, {**PASS, "dkim": "fail"}),
        ("a copy from an address that is not in SPF", left, STRANGER, own, {**PASS, "spf": "fail"}),
        ("a forged sender", forged, STRANGER, "b@stranger.example", {"dkim": "none", "spf": "none", "dmarc": "fail"}),
    ):
        folder = "INBOX" if what == "a forged sender" else partners.FOLDERS["agenda"]
        before = len(mailbox("witness", folder))
        send(sent, source, sender, hello="mail.stranger.example" if source == STRANGER else office.HOST)
        found = wait_for(what, lambda: mailbox("witness", folder)[before:])
        expect(what, verdicts(found[0]), wanted)


def s29_the_absent_answer_no_mailing_and_their_answer_changes_nothing():
    """She is away: a mail from a person is answered, the mailings were not."""
    log = partners.DOVECOT_LOG.read_text()
    silent = [line for line in log.splitlines() if "discarding vacation response" in line]
    answered = "sent vacation response" in log
    if len(silent) < 3 or answered:
        raise Failed(f"her filter saw three mailings and answered none, or so it should be:\n{log}")
    good("her absence is told to none of the three")
    message = (
        f"From: Claire <{REPLY_TO}>\r\nTo: eloise@{partners.DOMAIN}\r\nSubject: Bonjour\r\nDate: Mon, 30 Nov 2026 10:00:00 +0100\r\n"
        f"Message-ID: <2@{office.DOMAIN}>\r\n\r\nUn mot.\r\n"
    )
    send(message.encode(), office.ADDRESS, f"retours+absence@{office.RETURN_DOMAIN}", "eloise")
    wait_for("a personal mail is answered", lambda: "sent vacation response" in partners.DOVECOT_LOG.read_text())
    wait_for("the answer comes to the return path, and is taken in", lambda: "via semainier service" in delivered("retours+absence@"))
    good("but to a person who writes; semainier takes that answer in, and nothing follows")


def delivered(recipient):
    """The lines of the office's Postfix about mail to an address."""
    lines = office.MAILLOG.read_text().splitlines()
    return "\n".join(line for line in lines if f"to=<{recipient}" in line or f"orig_to=<{recipient}" in line)


def back(address, issue, kind, status, text):
    """Compares the first report about the person's delivery of an issue."""
    fact = what_came_back(f"{address}@{partners.DOMAIN}", issue)
    seen = (fact["kind"], fact["enhanced"], fact["proof"])
    if seen != (kind, status, "return_path") or text not in fact["text"]:
        raise Failed(f"{address}, {issue}: {json.dumps(fact)}, not {kind} {status} {text!r}")
    good(f"{address}, {issue}: {kind} {status} by its return path: {fact['text']}")


def states(issue):
    return {it["address"].split("@")[0]: it["state"] for name in ("eloise", "gone", "full", "late")
            for it in deliveries(f"{name}@{partners.DOMAIN}") if it["issue"].startswith(issue)}


def suppressed():
    return [it["address"].split("@")[0] for it in json.loads(semainier("suppressions", "list", "--json"))]


def publish_what_doctor_says(server):
    """The DKIM record is the one that semainier shows, and then it finds nothing more to do."""
    server.zone = dns.read_zone([*zone(), office.record_to_publish()])
    advice = sh("env", *office.AS_THE_SERVICE, office.SEMAINIER, "doctor", "--from-address", office.ADDRESS, check=False, cwd=office.HOME)
    if advice.returncode != 0:
        raise Failed(f"with every record published, doctor still says:\n{advice.stdout}{advice.stderr}")
    good(f"semainier doctor: {advice.stdout.strip().splitlines()[-1]}")


def import_partners():
    rows = [("Éloïse Lacoste", "eloise"), ("Guy Parti", "gone"), ("Flora Pleine", "full"), ("Luc Tardif", "late")]
    lines = [f"{name}@{partners.DOMAIN};{person};Gîte de {person};Auch" for person, name in rows]
    semainier("partners", "import", write("/srv/partners.csv", "\n".join(["email;nom;etablissement;commune", *lines, ""])))


def agenda_arrives(folder):
    article = REPOSITORY / "src/cli/demo/article.html"
    semainier("run", "agenda", "--at", "2027-07-10T08:00", "--yes", "--article", article)
    return arrived("agenda", folder)


def s26_s27_bounces_and_a_delay_come_back_through_the_pipe():
    back("gone", "agenda", "bounce", "5.1.1", "User unknown")
    back("full", "agenda", "bounce", "5.2.2", "Quota exceeded")
    back("late", "agenda", "delayed", "4.3.2", "busy")
    expect("the deliveries stay", states("agenda"), dict.fromkeys(("eloise", "gone", "full", "late"), "sent"))
    expect("suppressed", suppressed(), ["gone"])


def newsletter_arrives(folder):
    """Its bounces go to the Maildir, which nobody reads yet."""
    to_maildir = [f"SEMAINIER__SENDER__RETURN_PATH=rebuts+*@{office.RETURN_DOMAIN}"]
    command = ["run", "newsletter", "--at", "2027-08-03T09:00", "--yes"]
    semainier(*command, expect=4, environment=to_maildir)
    semainier("issues", "approve", "newsletter/2027-08", "--by", "Claire")
    semainier(*command, environment=to_maildir)
    arrived("newsletter", folder)
    wanted = {"eloise": "sent", "gone": "suppressed", "full": "sent", "late": "sent"}
    expect("who got the newsletter", states("newsletter"), wanted)
    new = office.HOME / "retours/new"
    wait_for("two reports in the Maildir", lambda: new.is_dir() and len(list(new.iterdir())) >= 2, 40)


def announcement_arrives(folder):
    """The daemon sends it."""
    semainier("editions", "add", REPOSITORY / "src/cli/demo/edition/carte-2027.toml")
    semainier("announce", "carte-2027", "--yes")
    arrived("editions", folder)


def s26_s27_the_daemon_reads_what_came_back_into_a_maildir():
    back("full", "newsletter", "bounce", "5.2.2", "Quota exceeded")
    back("late", "newsletter", "delayed", "4.3.2", "busy")


def run(machine, binary, folder):
    server = dns.Server(NAMESERVER, zone())
    office.set_up_postfix()
    office.set_up_semainier(machine, binary)
    partners.start(machine, NAMESERVER)
    publish_what_doctor_says(server)
    import_partners()
    agenda = agenda_arrives(folder)
    s32_what_is_altered_or_forged_does_not_pass(agenda)
    s26_s27_bounces_and_a_delay_come_back_through_the_pipe()
    newsletter_arrives(folder)
    machine.start("daemon", *office.AS_THE_SERVICE, office.SEMAINIER, "serve", cwd=office.HOME)
    machine.until("daemon", lambda: "semainier started" in machine.said("daemon"))
    announcement_arrives(folder)
    s26_s27_the_daemon_reads_what_came_back_into_a_maildir()
    s29_the_absent_answer_no_mailing_and_their_answer_changes_nothing()
    expect("still suppressed", suppressed(), ["gone"])
    machine.stop("daemon")


def main():
    binary, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    addresses = [office.ADDRESS, partners.ADDRESS, NAMESERVER, STRANGER]
    empty = ["/run", "/usr/local/bin", "/var/lib", "/var/log", "/var/mail", "/var/spool"]
    machine = Machine(addresses, NAMESERVER, empty=empty)
    try:
        run(machine, binary, folder)
    except Failed as failed:
        print(f"mailhost: {failed}", file=sys.stderr)
        return 1
    finally:
        for log in (office.MAILLOG, partners.MAILLOG, partners.DOVECOT_LOG, MEMORY / "daemon.out"):
            keep(log, folder / "logs")
        machine.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
