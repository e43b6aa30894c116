"""What spam filters think of our messages: SpamAssassin and rspamd as Debian ships them, without network.

Run by scripts/spam in namespaces of its own: spam.py KEY MESSAGE.eml… with the private key that signed the messages of
examples/mail_samples.rs. SPF, DKIM and DMARC are answered for them by a DNS of ours; every list says that it knows nothing.
"""

import email
import email.policy
import email.utils
import json
import mailbox
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import dns
import office
import partners
from machine import Failed, Machine, listens, sh, write

NAMESERVER = "192.0.2.53"
RSPAMD_PORT = 11333
# A filter of a provider acts from 5 (SpamAssassin) or 4 (rspamd, greylisting) on; what remains belongs to Bayes and reputation.
SPAMASSASSIN_BAR, RSPAMD_BAR = 0.5, 0.0
# Rules that say nothing about a message, each with the reason. Their points are taken off.
NOT_COUNTED = {
    "URI_COUNT_ODD": "rspamd 3.4 counts only the links of the HTML, so every second message without files has an odd number of them",
    "R_MIXED_CHARSET": "rspamd 3.4 gives it to the same French bytes in one run and not in the next",
}
# Gmail clips what is longer than 102 kB.
HTML_BAR = 100_000

SPAMMY = f"""From: "WINNER DEPT" <prize@{office.DOMAIN}>
To: undisclosed-recipients:;
Subject: YOU HAVE WON!!! CLAIM YOUR $1,000,000 NOW!!!
Content-Type: text/html
MIME-Version: 1.0

<html><body><center><font size=7 color=red>CONGRATULATIONS!!! Dear friend, you have won the lottery</font>
<a href="http://198.51.100.7/claim.exe"><img src="http://198.51.100.7/win.gif"></a>
Act now! Viagra, Cialis, no prescription needed. 100% free, money back guarantee, no risk!</center></body></html>
"""


def zone(key):
    public = sh("openssl", "rsa", "-in", key, "-pubout").stdout
    record = "".join(line for line in public.splitlines() if not line.startswith("-"))
    return [
        f"{office.HOST} A {office.ADDRESS}",
        f"{dns.reverse(office.ADDRESS)} PTR {office.HOST}",
        f"{office.DOMAIN} MX {office.HOST}",
        f"{office.DOMAIN} TXT v=spf1 ip4:{office.ADDRESS} -all",
        f"{office.RETURN_DOMAIN} MX {office.HOST}",
        f"{office.RETURN_DOMAIN} TXT v=spf1 ip4:{office.ADDRESS} -all",
        f"_dmarc.{office.DOMAIN} TXT v=DMARC1; p=none; rua=mailto:dmarc@{office.DOMAIN}",
        f"{office.SELECTOR}._domainkey.{office.DOMAIN} TXT v=DKIM1; k=rsa; p={record}",
    ]


def received(message):
    """The message as the partners' server hands it to its filter."""
    stamp = email.utils.formatdate(time.time())
    way = f"from {office.HOST} ({office.HOST} [{office.ADDRESS}])\r\n\tby {partners.HOST} (Postfix) with ESMTP id 4455F6E1"
    return f"Received: {way}\r\n\tfor <contact@hotel.example>; {stamp}\r\n".encode() + message


def spamassassin(messages):
    """Score and rules of each message, by name."""
    box = mailbox.mbox("/srv/all.mbox")
    for name, message in messages.items():
        parsed = email.message_from_bytes(received(message), policy=email.policy.compat32)
        parsed["X-Gate-Name"] = name
        box.add(parsed)
    box.close()
    # Addresses of the documentation (RFC 5737) stand for public ones here.
    own = ["use_bayes 0", "score RCVD_ILLEGAL_IP 0", "fold_headers 0", "add_header all Score score=_SCORE_ tests=_TESTSSCORES(,)_"]
    write("/etc/spamassassin/local.cf", "\n".join([*own, ""]))
    with open("/srv/all.mbox", "rb") as given:
        command = ["spamassassin", "--local", "--mbox", "--configpath=/usr/share/spamassassin"]
        judged = subprocess.run(command, stdin=given, capture_output=True, timeout=300, check=True).stdout
    pathlib.Path("/srv/judged.mbox").write_bytes(judged)
    scores = {}
    for message in mailbox.mbox("/srv/judged.mbox"):
        found = re.match(r"score=(-?[\d.]+) tests=(.*)", message["X-Spam-Score"])
        name = message["X-Gate-Name"] or name_of_attached(message)
        scores[name] = (float(found[1]), found[2])
    return scores


def name_of_attached(message):
    """Of what SpamAssassin takes for spam, it makes an attachment."""
    return next(part["X-Gate-Name"] for part in message.walk() if part["X-Gate-Name"])


def start_rspamd(machine):
    home = write("/var/lib/rspamd/.keep", "").parent
    sh("chown", "-R", "_rspamd:", home)
    own = pathlib.Path("/etc/rspamd/local.d")
    write(own / "options.inc", f'dns {{ nameserver = ["{NAMESERVER}:53:10"]; }}\nlocal_addrs = [];\ndisable_hyperscan = true;\n')
    write(own / "logging.inc", 'type = "console";\nlevel = "warning";\n')
    for module in ("fuzzy_check", "phishing", "neural", "greylist", "ratelimit", "replies", "asn"):
        write(own / f"{module}.conf", "enabled = false;\n")
    machine.start("rspamd", "rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd")
    machine.until("rspamd", lambda: listens("127.0.0.1", RSPAMD_PORT), 60)


def rspamd(message):
    """Score of a message as it comes from the office's server, its symbols as words, and all of them by name."""
    to = email.message_from_bytes(message, policy=email.policy.default)["To"].addresses
    headers = {
        "IP": office.ADDRESS,
        "Helo": office.HOST,
        "Hostname": office.HOST,
        "From": f"retours+1@{office.RETURN_DOMAIN}",
        "Rcpt": to[0].addr_spec if to else "contact@hotel.example",
    }
    asked = urllib.request.Request(f"http://127.0.0.1:{RSPAMD_PORT}/checkv2", message, headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        judged = json.load(answer)
    counted = {name: it["score"] for name, it in judged["symbols"].items() if name not in NOT_COUNTED}
    return sum(counted.values()), ",".join(f"{name}={score:g}" for name, score in counted.items() if score), counted


def html_of(message):
    part = email.message_from_bytes(message, policy=email.policy.default).get_body(("html",))
    return part.get_content().encode() if part else b""


def judge(machine, key, messages):
    """The lines of what is over a bar."""
    dns.Server(NAMESERVER, zone(key))
    start_rspamd(machine)
    by_assassin = spamassassin({**messages, "control": SPAMMY.encode()})
    wrong = []
    print(f"  {'':<16} {'SpamAssassin':>12} {'rspamd':>7} {'HTML':>7}")
    for name, message in messages.items():
        (assassin, rules), (score, symbols, counted), size = by_assassin[name], rspamd(message), len(html_of(message))
        print(f"  {name:<16} {assassin:>12.1f} {score:>7.2f} {size:>7}", flush=True)
        if assassin > SPAMASSASSIN_BAR:
            wrong.append(f"{name}: SpamAssassin {assassin}, over {SPAMASSASSIN_BAR}: {rules}")
        if score > RSPAMD_BAR:
            wrong.append(f"{name}: rspamd {score:.2f}, over {RSPAMD_BAR}: {symbols}")
        if size >= HTML_BAR:
            wrong.append(f"{name}: {size} bytes of HTML, not under {HTML_BAR}")
        # Otherwise the score would be that of a message without sender, or of an idle filter.
        missing = {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"} - set(counted)
        if missing and name not in REAL:
            wrong.append(f"{name}: rspamd lacks {', '.join(sorted(missing))}: {symbols}")
    control = by_assassin["control"][0], rspamd(SPAMMY.encode())[0]
    print(f"  {'a spammy one':<16} {control[0]:>12.1f} {control[1]:>7.2f}")
    if control[0] < 5 or control[1] < 5:
        wrong.append(f"the spammy message has {control}: the filters do not filter")
    return wrong


# Signed with the key of another run.
REAL = {"agenda", "newsletter", "editions"}


def main():
    key, *files = map(pathlib.Path, sys.argv[1:])
    messages = {file.stem: file.read_bytes() for file in files}
    key = key.resolve()
    empty = ["/run", "/var/lib", "/var/log"]
    machine = Machine([office.ADDRESS, NAMESERVER], NAMESERVER, empty=empty)
    try:
        wrong = judge(machine, key, messages)
    except Failed as failed:
        wrong = [str(failed)]
    finally:
        machine.end()
    for line in wrong:
        print(f"spam: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
