"""The office: its Postfix on 192.0.2.10, and semainier, installed as docs/operations.md says, with deploy/semainier.toml."""

import datetime
import json
import pathlib
import re
import shutil
import subprocess

from machine import REPOSITORY, Failed, sh, wait_for, write

ADDRESS = "192.0.2.10"
HOST, DOMAIN, RETURN_DOMAIN = "mail.example.org", "example.org", "lettre.example.org"
SELECTOR = "s2026"
KEY = pathlib.Path(f"/etc/semainier/dkim-{SELECTOR}.pem")
HOME = pathlib.Path("/var/lib/semainier")
MAILLOG = pathlib.Path("/var/log/office.log")
SEMAINIER = "/usr/local/bin/semainier"
# As the service's unit runs it.
AS_THE_SERVICE = ["setpriv", "--reuid=semainier", "--regid=semainier", "--clear-groups"]


def blocks_of_the_docs(heading):
    """The commands of a section of docs/operations.md, one text for each block."""
    text = (REPOSITORY / "docs/operations.md").read_text()
    section = text.split(f"\n### {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [re.sub(r"^  ", "", block, flags=re.M) for block in re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.M | re.S)]


def follow(block):
    """Runs a block of the docs, except for what is said to systemd, which is not here."""
    sh("sh", "-euc", re.sub(r"^.*\bsystemctl\b.*$", "", block, flags=re.M))


def postfix(folder, queue, data, settings):
    """A configuration of Postfix with these settings and folders; started by the caller."""
    own = f"compatibility_level = 3.6\ninet_protocols = ipv4\nqueue_directory = {queue}\ndata_directory = {data}\n"
    write(f"{folder}/main.cf", own + settings)
    for made in (queue, data):
        pathlib.Path(made).mkdir()
    sh("chown", "postfix", data)
    master = pathlib.Path(f"{folder}/master.cf")
    if not master.exists():
        write(master, pathlib.Path("/etc/postfix/master.cf").read_text())
    # Debian runs it in a chroot that its init script fills.
    sh("postconf", "-c", folder, "-F", "*/*/chroot=n")


def set_up_postfix():
    """It takes everything from this machine, and bounces what the partners' server refuses."""
    postfix(
        "/etc/postfix",
        "/var/spool/postfix",
        "/var/lib/postfix",
        f"""
myhostname = {HOST}
# Mail to staff is not looked at here.
mydestination = localhost, {DOMAIN}
local_recipient_maps =
local_transport = discard:
inet_interfaces = {ADDRESS}, 127.0.0.1
smtp_bind_address = {ADDRESS}
mynetworks = 127.0.0.0/8
maillog_file = {MAILLOG}
# Minutes and hours of a real one.
delay_warning_time = 1s
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 5s
""",
    )
    write("/etc/postfix/transport", "")
    sh("postmap", "hash:/etc/postfix/transport")
    users, trust, way, maildir = blocks_of_the_docs("Setting up the mailbox")
    follow(users)
    follow(trust)
    sh("postfix", "start")
    follow(way)
    # Both ways are shown by one Postfix, so the second one has another address.
    follow(maildir.replace("retours@", "rebuts@"))


def set_up_semainier(machine, binary):
    """The configuration of deploy/, its blanks filled in, and the mailings of jobs/ with a folder of news instead of a site."""
    machine.put_program(binary, "semainier")
    settings = (REPOSITORY / "deploy/semainier.toml").read_text()

    def uncomment(name, value):
        nonlocal settings
        settings, changed = re.subn(rf"^#? ?{name}( *)= .*$", rf"{name}\1= {value}", settings, count=1, flags=re.M)
        if not changed:
            raise Failed(f"deploy/semainier.toml has no {name}")

    uncomment("jobs", '"jobs"')
    uncomment("return_path", f'"retours+*@{RETURN_DOMAIN}"')
    uncomment("hello", f'"{HOST}"')
    uncomment("bind", '"127.0.0.1:8080"')
    uncomment("maildir", f'"{HOME}/retours"')
    signing = re.search(r"^# (\[\[dkim\]\]).*\n((?:# [a-z_]+ +=.*\n)+)", settings, re.M)
    lines = [signing[1]] + [line.removeprefix("# ") for line in signing[2].splitlines() if "retired" not in line]
    settings = settings.replace(signing[0], "\n".join(lines) + "\n")
    write("/etc/semainier/semainier.toml", settings)

    # The news of the demo, as if they were of today.
    news = pathlib.Path("/etc/semainier/actualites")
    shutil.copytree(REPOSITORY / "src/cli/demo/news", news)
    for item in news.glob("*.md"):
        write(item, re.sub(r"^date: .*$", f"date: {datetime.date.today()}", item.read_text(), flags=re.M))
    for job in (REPOSITORY / "jobs").glob("*.toml"):
        text = job.read_text().replace('kind = "posts"', f'kind = "folder"\npath = "{news}"', 1)
        write(f"/etc/semainier/jobs/{job.name}", text)

    sh("openssl", "genrsa", "-out", KEY, "2048")
    sh("chown", "semainier:", KEY)
    KEY.chmod(0o400)
    HOME.mkdir(mode=0o700)
    sh("chown", "semainier:", HOME)


def semainier(*words, expect=0, environment=()):
    """The command as the user of the service; what it printed.

    Raises Failed unless it ends with this exit code."""
    done = sh("env", *environment, *AS_THE_SERVICE, SEMAINIER, *words, check=False, stdin=subprocess.DEVNULL, cwd=HOME)
    if done.returncode != expect:
        raise Failed(f"semainier {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def deliveries(address):
    """What `semainier log` says of a person, newest issue last."""
    return json.loads(semainier("log", "--address", address, "--json"))


def what_came_back(address, issue, seconds=40):
    """The first report about the person's delivery of an issue, waited for."""

    def look():
        found = [fact for it in deliveries(address) if it["issue"].startswith(issue) for fact in it["feedback"]]
        return found and found[0]

    try:
        return wait_for(f"a report about {address} in `semainier log`", look, seconds)
    except Failed as missing:
        tail = "\n".join(MAILLOG.read_text().splitlines()[-25:])
        raise Failed(f"{missing}\nthe office's Postfix:\n{tail}") from None


def record_to_publish():
    """The DKIM record as semainier says it should be published, joined."""
    report = json.loads(sh("env", *AS_THE_SERVICE, SEMAINIER, "doctor", "--json", check=False, cwd=HOME).stdout)
    wanted = f"{SELECTOR}._domainkey.{DOMAIN}"
    for record in filter(None, (check["publish"] for check in report["checks"])):
        if (record["host"], record["type"]) == (wanted, "TXT"):
            return f"{wanted} TXT {record['value']}"
    raise Failed(f"semainier doctor shows no record {wanted}: {json.dumps(report)}")
