"""Asks for pages of the console, for scripts/bench-console.

    load.py pages FACTS ORIGIN PID [POSTMASTER]    each page REQUESTS times over CONNECTIONS connections; exit 1: one is over BAR
    load.py screens FACTS ORIGIN ISSUE             five screens follow the issue, one of them clicks; until it is ended
    load.py imports FACTS ORIGIN PID LIST          the list is uploaded, looked at and imported as a person does it, while another
                                                   one asks for « Ce soir »; exit 1: not all of it, or without progress

FACTS: what ledger.py printed. PID: of the daemon, POSTMASTER: of its Postgres; their CPU time is divided by the requests. The
first request of each page is not counted. Environment: REQUESTS (120), CONNECTIONS (4), BAR (50, in ms), ONLY (a part of a path).
"""

import http.client, json, os, re, sys, threading, time
from urllib.parse import quote, urlsplit

REQUESTS, CONNECTIONS = int(os.environ.get("REQUESTS", 120)), int(os.environ.get("CONNECTIONS", 4))
BAR, ONLY = float(os.environ.get("BAR", 50)), os.environ.get("ONLY", "")
TICK = os.sysconf("SC_CLK_TCK")


def paths(it):
    """Every route of the console that is a page, with the filters that people use."""
    issue = "/envois/" + it["newest"]
    return [
        "/", "/a-venir", "/a-venir?semaines=52", "/envois", "/envois?avant=" + it["old_issue"], "/envois?mailing=newsletter", "/envois?etat=done",
        issue, issue + "/destinataires", issue + "/destinataires?etat=sent", issue + "/destinataires?etat=failed",
        issue + "/destinataires?etat=expired", issue + "/destinataires?etat=sent&apres=" + it["deep_newest"],
        issue + "/destinataires?apres=" + it["deep_newest"], issue + "/suivi", issue + "/histoire", f"{issue}/apercu/{it['hash']}",
        f"{issue}/apercu/{it['hash']}/mail.html", f"{issue}/apercu/{it['hash']}/document-1",
        "/envois/" + it["paused"], "/envois/" + it["paused"] + "/destinataires?etat=queued", "/envois/" + it["paused"] + "/suivi",
        "/envois/" + it["paused"] + "/reprendre", "/envois/" + it["paused"] + "/arreter", "/envois/" + it["awaiting"],
        "/envois/" + it["awaiting"] + "/approuver", "/envois/" + it["doubtful"] + "/incertains", "/envois/" + it["letter"],
        "/envois/" + it["confirmation"],
        "/journal", "/journal?q=marc", "/journal?q=" + quote("gîte dupré auch"), "/journal?q=" + it["address"],
        "/journal?q=" + quote(f"<agenda-2026-w23.{it['delivery']}@office.test>"), "/journal?etat=sent", "/journal?etat=failed",
        "/journal?etat=unknown", "/journal?etat=queued", "/journal?etat=cancelled", "/journal?envoi=" + it["middle"],
        "/journal?envoi=" + it["middle"] + "&etat=failed", "/journal?depuis=2020-01-01", "/journal?depuis=2026-06-01&etat=failed",
        "/journal?depuis=2020-01-01&apres=" + it["deep"], "/journal?etat=sent&apres=" + it["deep"],
        "/journal?q=" + it["address"] + "&etat=failed",
        "/partenaires", "/partenaires?q=marc", "/partenaires?q=" + quote("gîte auch 7"), "/partenaires?apres=" + it["deep_contact"],
        "/partenaires?q=" + it["address"], "/partenaires?ou=" + quote('category = "hébergement" and commune = "Auch"'),
        "/partenaires/segment?ou=" + quote('commune != "Auch" and subscribed = "agenda"'),
        "/partenaires/contacts/" + it["contact"], "/partenaires/contacts/" + it["contact"] + "/opposition",
        "/partenaires/contacts/" + it["contact"] + "/donnees",
        "/editions", "/commandes", "/commandes?edition=guide-2026&etat=delivered", "/commandes?etat=delivered&apres=" + it["deep_order"],
        "/commandes?etat=cancelled", "/voies", "/trace", "/trace?envoi=" + it["middle"], "/trace?qui=" + quote("user-1"), "/reglages", "/moi",
        "/utilisateurs", "/nothing/here",
    ]


class Asker:
    def __init__(self, origin, cookie):
        self.host = urlsplit(origin).netloc
        self.headers = {"Cookie": cookie, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}
        self.connection = http.client.HTTPConnection(self.host)

    def ask(self, path):
        begun = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        return (time.perf_counter() - begun) * 1000, answer.status, len(body)


def cpu(pid, postmaster):
    """Milliseconds of the daemon, and of all processes of the database server."""
    def of(pid):
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[1]), (int(fields[11]) + int(fields[12])) * 1000 / TICK

    server = 0
    for other in os.listdir("/proc") if postmaster else []:
        if other.isdigit():
            try:
                parent, used = of(other)
            except OSError:
                continue
            server += used if parent == postmaster or int(other) == postmaster else 0
    return of(pid)[1], server


def pages(facts, origin, pid, postmaster=0):
    askers = [Asker(origin, facts["cookies"][n % len(facts["cookies"])]) for n in range(CONNECTIONS)]
    over = []
    print(f"{'median':>8} {'p95':>8} {'CPU':>7} {'server':>7} {'bytes':>8}   ms, {REQUESTS} requests over {CONNECTIONS} connections")
    for path in (path for path in paths(facts) if ONLY in path):
        _, status, size = askers[0].ask(path)
        times, wrong = [], []

        def run(asker, n):
            for _ in range(n):
                taken, got, _ = asker.ask(path)
                times.append(taken)
                if got != status:
                    wrong.append(got)

        before = cpu(pid, postmaster)
        threads = [threading.Thread(target=run, args=(asker, REQUESTS // CONNECTIONS)) for asker in askers]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        used = [(after - before) / len(times) for after, before in zip(cpu(pid, postmaster), before)]
        times.sort()
        median, p95 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 95 // 100)]
        expected = 404 if path == "/nothing/here" else 200
        note = f"  status {status}" if status != expected else f"  also {wrong[0]}" if wrong else ""
        if p95 > BAR or note:
            over.append(path)
            note += "  OVER" if p95 > BAR else ""
        print(f"{median:8.1f} {p95:8.1f} {used[0]:7.2f} {used[1]:7.2f} {size:8}   {path}{note}", flush=True)
    print(f"{len(over)} pages over {BAR:g} ms, or not answered as expected" + "".join(f"\n  {path}" for path in over))
    return 1 if over else 0


def screens(facts, origin, issue):
    def follow(cookie):
        asker = Asker(origin, cookie)
        asker.connection.request("GET", f"/envois/{issue}/suivi/flux", headers=asker.headers)
        answer = asker.connection.getresponse()
        assert answer.status == 200, answer.status
        while answer.read1(65536):
            pass

    for cookie in facts["cookies"][:5]:
        threading.Thread(target=follow, args=(cookie,), daemon=True).start()
    clicks = ["/", f"/envois/{issue}/suivi", "/journal", f"/envois/{issue}/destinataires", "/partenaires?q=marc", "/a-venir", "/envois"]
    asker = Asker(origin, facts["cookies"][0])
    for n in range(100_000):
        asker.ask(clicks[n % len(clicks)])
        time.sleep(1)


def imports(facts, origin, pid, path):
    with open(path, "rb") as file:
        data = file.read()
    rows = data.count(b"\n") - 1
    me, other = (Asker(origin, cookie) for cookie in facts["cookies"][:2])

    def get(path):
        # An idle connection is closed by the daemon.
        me.connection.close()
        me.connection.request("GET", path, headers=me.headers)
        answer = me.connection.getresponse()
        return answer.status, answer.read().decode()

    def field(page, name):
        return re.search(f'name="{name}" value="([^"]*)"', page)[1]

    def post(path, kind, body):
        headers = me.headers | {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
        me.connection.close()
        me.connection.request("POST", path, body, headers)
        answer = me.connection.getresponse()
        page = answer.read().decode()
        assert answer.status == 303, (answer.status, page)
        return answer.getheader("Location")

    def until_over(draft):
        """The numbers of lines that a browser is told of."""
        asker, told, rest = Asker(origin, facts["cookies"][0]), [], ""
        asker.connection.request("GET", draft + "/flux", headers=asker.headers)
        answer = asker.connection.getresponse()
        while more := answer.read1(65536):
            rest += more.decode()
            *events, rest = rest.split("\n\n")
            told += [json.loads(it.split("data:", 1)[1]) for it in events if "data:" in it]
            if told and told[-1]["over"]:
                break
        return len({it["ended"] for it in told})

    home, stop = [], threading.Event()

    def click():
        while not stop.wait(0.2):
            home.append(other.ask("/")[0])

    clicks = threading.Thread(target=click)
    clicks.start()
    begun = time.perf_counter()
    token, line = field(get("/partenaires/importer")[1], "jeton"), "semainier-console-import"
    fields = {"jeton": token, "source": "banc d'essai", "base": "interet", "envoi-agenda": "oui"}
    parts = [f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'--{line}\r\nContent-Disposition: form-data; name="fichier"; filename="liste.csv"\r\nContent-Type: text/csv\r\n\r\n')
    body = "".join(parts).encode() + data + f"\r\n--{line}--\r\n".encode()
    draft = post("/partenaires/importer", f"multipart/form-data; boundary={line}", body)
    seen = until_over(draft)
    compared = time.perf_counter()
    page = get(draft)[1]
    form = {"jeton": field(page, "jeton"), "que": "confirmer", "vu_alors": field(page, "vu_alors")}
    post(draft, "application/x-www-form-urlencoded", "&".join(f"{name}={quote(value)}" for name, value in form.items()))
    seen += until_over(draft)
    ended = time.perf_counter()
    stop.set()
    clicks.join()
    page = re.sub(r"[\u00a0\u202f]", "", re.sub("<[^>]*>", " ", get(draft)[1]))
    home.sort()
    with open(f"/proc/{pid}/status") as status:
        peak = next(int(it.split()[1]) / 1000 for it in status if it.startswith("VmHWM"))
    print(f"{rows} lines, {len(data) / 1e6:.1f} MB: compared in {compared - begun:.1f} s, imported in {ended - compared:.1f} s; "
          f"{seen} numbers told; « Ce soir » meanwhile {home[len(home) // 2]:.0f} ms, at the most {home[-1]:.0f} ms; "
          f"the daemon used {peak:.0f} MB at the most")
    whole = str(rows) in page
    if not whole:
        print(f"{rows} is not on the page of the result:\n{page}")
    return 0 if whole and seen > 4 else 1


def main(task, facts, origin, *rest):
    with open(facts) as file:
        facts = json.load(file)
    if task == "pages":
        sys.exit(pages(facts, origin, *map(int, rest)))
    if task == "imports":
        sys.exit(imports(facts, origin, *rest))
    screens(facts, origin, *rest)


main(*sys.argv[1:])
