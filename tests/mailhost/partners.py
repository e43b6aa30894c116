"""The partners' mail server on 192.0.2.25, as a careful provider runs it: Postfix; OpenDKIM and OpenDMARC verify; Dovecot delivers into
mailboxes with Sieve filters and a quota. Everything is under /srv/partners."""

import email
import email.policy
import imaplib
import pathlib
import re

from machine import REPOSITORY, listens, sh, wait_for, write
from office import RETURN_DOMAIN, postfix

ADDRESS = "192.0.2.25"
HOST, DOMAIN = "mx.partenaire.example", "partenaire.example"
HOME = pathlib.Path("/srv/partners")
MAILLOG, DOVECOT_LOG = pathlib.Path("/var/log/partners.log"), pathlib.Path("/var/log/dovecot.log")
PASSWORD = "only in this namespace"
VERIFIER_PORT, DMARC_PORT, LMTP_PORT = 18891, 18893, 24

# `full` has no room, `late` is not served today; there is no `gone`. `eloise` is on holiday, `witness` gets the controls.
MAILBOXES = {"eloise": "", "full": "userdb_quota_rule=*:bytes=100", "late": "", "witness": ""}
BUSY = "451 4.3.2 mail system is busy, try again later"
FOLDERS = {"agenda": "Agenda", "newsletter": "Lettre", "editions": "Editions"}


def sieve():
    """Filing by List-Id, as mail programs propose it, and a reply in one's absence."""
    filed = "\n".join(
        f'if header :contains "List-Id" "<{mailing}.{RETURN_DOMAIN}>" {{ fileinto :create "{folder}"; }}'
        for mailing, folder in FOLDERS.items()
    )
    absent = f'vacation :days 1 :addresses ["eloise@{DOMAIN}"] "Je suis absente jusqu’à lundi.";'
    return f'require ["fileinto", "mailbox", "vacation", "envelope"];\n{filed}\nif envelope "to" "eloise@{DOMAIN}" {{ {absent} }}\n'


def start(machine, nameserver):
    """Starts everything, and waits until it answers."""
    HOME.mkdir(mode=0o755)
    verifiers(machine, nameserver)
    dovecot(machine)
    known = "".join(f"{name}@{DOMAIN} ok\n" for name in MAILBOXES)
    write(HOME / "postfix/known", known)
    write(HOME / "postfix/busy", f"late@{DOMAIN} {BUSY}\n")
    postfix(
        HOME / "postfix",
        HOME / "queue",
        HOME / "data",
        f"""
maillog_file = {MAILLOG}
myhostname = {HOST}
mydestination =
inet_interfaces = {ADDRESS}
smtp_bind_address = {ADDRESS}
mynetworks = {ADDRESS}/32
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{HOME}/postfix/known
virtual_transport = lmtp:inet:127.0.0.1:{LMTP_PORT}
smtpd_recipient_restrictions = check_recipient_access texthash:{HOME}/postfix/busy, permit_mynetworks, reject_unauth_destination
smtpd_milters = inet:127.0.0.1:{VERIFIER_PORT}, inet:127.0.0.1:{DMARC_PORT}
milter_default_action = tempfail
""",
    )
    sh("postfix", "-c", HOME / "postfix", "start")
    wait_for("the partners' Postfix answers", lambda: listens(ADDRESS, 25))


def verifiers(machine, nameserver):
    write(
        HOME / "opendkim.conf",
        f"""
Mode v
Socket inet:{VERIFIER_PORT}@127.0.0.1
UserID opendkim
PidFile /run/opendkim.pid
AuthservID {HOST}
AlwaysAddARHeader yes
InternalHosts 127.0.0.254
Nameservers {nameserver}
""",
    )
    write(
        HOME / "opendmarc.conf",
        f"""
Socket inet:{DMARC_PORT}@127.0.0.1
UserID opendmarc
PidFile /run/opendmarc.pid
AuthservID {HOST}
TrustedAuthservIDs {HOST}
SPFSelfValidate yes
SPFIgnoreResults yes
RejectFailures no
IgnoreHosts /dev/null
""",
    )
    for name, port, command in (
        ("opendkim", VERIFIER_PORT, ["opendkim", "-f", "-x", HOME / "opendkim.conf"]),
        ("opendmarc", DMARC_PORT, ["opendmarc", "-f", "-c", HOME / "opendmarc.conf"]),
    ):
        machine.start(name, *command)
        machine.until(name, lambda port=port: listens("127.0.0.1", port))


def dovecot(machine):
    users = "".join(f"{name}:{{PLAIN}}{PASSWORD}::::::{extra}\n" for name, extra in MAILBOXES.items())
    write(HOME / "users", users)
    write(HOME / "filters.sieve", sieve())
    write(
        HOME / "dovecot.conf",
        f"""
hostname = {HOST}
base_dir = /run/dovecot
state_dir = /run/dovecot
log_path = {DOVECOT_LOG}
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{HOME}/mail/%n
mail_plugins = quota
submission_host = {ADDRESS}:25
passdb {{
  driver = passwd-file
  args = username_format=%n {HOME}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {HOME}/users
  default_fields = uid=nobody gid=nogroup home={HOME}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {LMTP_PORT}
  }}
}}
protocol lmtp {{
  mail_plugins = quota sieve
  postmaster_address = postmaster@{DOMAIN}
}}
plugin {{
  quota = maildir:User quota
  quota_grace = 0
  sieve_before = {HOME}/filters.sieve
}}
""",
    )
    (HOME / "mail").mkdir()
    sh("chown", "nobody:nogroup", HOME / "mail")
    sh("sievec", "-c", HOME / "dovecot.conf", HOME / "filters.sieve")
    machine.start("dovecot", "dovecot", "-F", "-c", HOME / "dovecot.conf")
    machine.until("dovecot", lambda: listens("127.0.0.1", LMTP_PORT) and listens("127.0.0.1", 143))


def mailbox(name, folder="INBOX"):
    """The messages of a folder as a mail program fetches them, oldest first; none if there is no such folder."""
    with imaplib.IMAP4("127.0.0.1") as imap:
        imap.login(name, PASSWORD)
        if imap.select(folder, readonly=True)[0] != "OK":
            return []
        numbers = imap.search(None, "ALL")[1][0].split()
        return [imap.fetch(number, "(RFC822)")[1][0][1] for number in numbers]


def verdicts(message):
    """`dkim`, `spf` and `dmarc` as our server added them to a message, by method."""
    headers = email.message_from_bytes(message, policy=email.policy.compat32).get_all("Authentication-Results", [])
    ours = [" ".join(it.split()) for it in headers if it.split(";")[0].strip() == HOST]
    found = {}
    for method, result in re.findall(r"\b(dkim|spf|dmarc)=(\w+)", " ".join(ours)):
        found.setdefault(method, result)
    return found
