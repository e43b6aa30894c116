"""Fills a ledger for scripts/bench-console: a year of an office as large as it may get.

    ledger.py DATABASE     with the contacts imported, and the issues of `semainier demo` to copy the content of

50 issues of all contacts, the newest paused half way; an issue that waits for approval and one that is held; three editions
with an order and its confirmation (an issue with one recipient) of every fifth contact; six accounts, each with an open
session; decisions, occurrences, and mails to staff. Instants are relative to now. Prints as JSON the keys and ids that load.py needs.
"""

import hashlib, json, sqlite3, sys, time
from base64 import urlsafe_b64encode

ISSUES = 50
DAY = 86_400_000
ACCOUNTS = 6


def main(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA cache_size = -262144")
    db.execute("PRAGMA synchronous = OFF")
    now = int(time.time() * 1000)
    db.execute("BEGIN")
    texts = templates(db)
    clear(db)
    contacts = db.execute(
        "SELECT c.id, c.email_key, c.address, c.address_hash, c.name, p.name, p.commune FROM contacts c"
        " JOIN partners p ON p.id = c.partner ORDER BY c.email_key"
    ).fetchall()
    issues = [issue(db, n, now, texts, contacts) for n in range(ISSUES)]
    awaiting(db, now, texts["newsletter"])
    editions(db, now, texts, contacts)
    told(db, now, issues)
    sessions = [account(db, n, now) for n in range(ACCOUNTS)]
    # One in a hundred is not written to any more.
    db.executemany(
        "INSERT INTO suppressions (address_hash, scope, reason, since) VALUES (?, ?, ?, ?)",
        [(it[3], "*" if n % 2 else "agenda", "bounce" if n % 3 else "opt_out", now - n * 1000) for n, it in enumerate(contacts[::100])],
    )
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(json.dumps(facts(db, issues, sessions, contacts)))


def templates(db):
    """The content of one issue of each kind."""
    found = {}
    for (key, mailing, subject, digest) in db.execute("SELECT key, mailing, subject, content_hash FROM issues").fetchall():
        found[mailing] = {
            "subject": subject,
            "hash": digest,
            "content": db.execute("SELECT html, text, data, envelope FROM issue_content WHERE issue = ?", [key]).fetchone(),
            "attachments": db.execute("SELECT n, name, media_type, bytes FROM attachments WHERE issue = ?", [key]).fetchall(),
            "inline": db.execute("SELECT n, content_id, media_type, bytes FROM inline_parts WHERE issue = ?", [key]).fetchall(),
        }
    found["definition"] = db.execute("SELECT definition FROM editions").fetchone()[0]
    return found


def clear(db):
    for table in ("canaries", "mass_bounces", "feedback", "attempts", "claims", "deliveries", "tallies", "approvals", "content_authors",
                  "refusals", "past_files", "past_content", "attachments", "inline_parts", "issue_content", "issues", "orders",
                  "announcements", "edition_files", "editions", "occurrences", "skips", "notices", "audit", "mailings", "daemons"):
        db.execute(f"DELETE FROM {table}")


def content(db, key, text):
    db.execute("INSERT INTO issue_content VALUES (?, ?, ?, ?, ?)", [key, *text["content"]])
    db.executemany("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)", [(key, *row) for row in text["attachments"]])
    db.executemany("INSERT INTO inline_parts VALUES (?, ?, ?, ?, ?)", [(key, *row) for row in text["inline"]])


def new_issue(db, key, state, at, text, frozen, closed, reason=None):
    db.execute(
        "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, composed_at, frozen_at, closed_at,"
        " subject, content_hash, message_domain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'office.test')",
        [key, key.split("/")[0], state, reason, at, at + 3 * DAY, at, at, frozen, closed, text["subject"], text["hash"]],
    )
    content(db, key, text)


def deliver(db, key, frozen, recipients):
    """`recipients`: (contact, state). With its attempts: what is sent was accepted, one in forty at the second try."""
    deliveries, attempts, sums = [], [], {}
    replies = {"sent": (250, "2.0.0", "2.0.0 Ok: queued as 4AB1", "accepted", "dot"), "unknown": (None, None, "connection lost", "unknown", "dot"),
               "failed": (550, "5.1.1", "5.1.1 no such user", "refused", "rcpt")}
    for n, ((contact, email, address, digest, name, establishment, commune), state) in enumerate(recipients):
        id = f"{frozen:012x}{n:08x}35daf25de18d"
        at = frozen + 1000 + n * 5
        tries = 0 if state not in replies else 2 if n % 40 == 1 else 1
        deliveries.append((id, key, contact, email, address, digest, name, establishment, commune, state,
                           frozen if state == "queued" else None, tries, at if state not in ("queued", "suppressed") else frozen))
        if tries == 2:
            attempts.append((id, 1, "relay", at - 500, "rcpt", 450, "4.2.2", "4.2.2 over quota", "deferred"))
        if tries:
            code, enhanced, text, outcome, phase = replies[state]
            attempts.append((id, tries, "relay", at, phase, code, enhanced, text, outcome))
        sums[state] = sums.get(state, 0) + 1
    db.executemany(
        "INSERT INTO deliveries (id, issue, contact_id, recipient_key, address, address_hash, name, establishment, commune, state, next_at,"
        " attempt, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", deliveries)
    db.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", attempts)
    db.executemany("INSERT INTO tallies VALUES (?, 0, ?, ?)", [(key, state, n) for state, n in sums.items()])


def issue(db, n, now, texts, contacts):
    """The nth before the last: one a week, every fifth a newsletter. The last one is paused half way."""
    mailing = "newsletter" if n % 5 == 4 else "agenda"
    at = now - 2 * DAY - n * 7 * DAY
    key = f"{mailing}/{time.strftime('%G-W%V' if mailing == 'agenda' else '%Y-%m', time.gmtime(at / 1000))}"
    paused = n == 0
    new_issue(db, key, "paused" if paused else "done", at, texts[mailing], at + 200, None if paused else at + DAY, "en pause" if paused else None)

    def state(i):
        if paused and i >= len(contacts) // 2:
            return "queued"
        if n in (3, 7) and i % 4000 == 5:
            return "unknown"
        return "failed" if i % 97 == 0 else "suppressed" if i % 211 == 0 else "sent"

    deliver(db, key, at + 200, [(contact, state(i)) for i, contact in enumerate(contacts)])
    if mailing == "newsletter":
        db.execute("INSERT INTO approvals VALUES (?, ?, 'Camille', ?, NULL)", [key, texts[mailing]["hash"], at])
    db.execute("INSERT OR IGNORE INTO mailings VALUES (?, '', ?)", [mailing, now])
    db.execute("INSERT INTO occurrences VALUES (?, ?, ?, 'done', NULL, ?, ?)", [mailing, at, time.strftime("%Y-%m-%dT%H:%M:%S+00:00[Europe/Paris]", time.gmtime(at / 1000)), key, at])
    return key


def awaiting(db, now, text):
    key = time.strftime("newsletter/%Y-%m", time.gmtime((now + 5 * DAY) / 1000))
    new_issue(db, key, "awaiting_approval", now + 5 * DAY, text, None, None)
    db.execute("INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at) VALUES"
               " ('agenda/2025-W01', 'agenda', 'held', 'il manque l’article', ?, ?, ?)", [now - DAY, now + 30 * DAY, now - DAY])


def editions(db, now, texts, contacts):
    for e, slug in enumerate(("carte-2026", "guide-2026", "balades-2026")):
        at = now - (200 - 60 * e) * DAY
        definition = {**json.loads(texts["definition"]), "slug": slug, "title": f"{slug[:-5].title()} 2026"}
        key = f"editions/{slug}"
        new_issue(db, key, "done", at, texts["editions"], at + 200, at + DAY)
        orders = contacts[e::5]
        db.execute("INSERT INTO editions VALUES (?, ?, ?, ?, ?, ?, 1)", [slug, json.dumps(definition), 5 * len(orders), 2 * len(orders), at, at])
        db.execute("INSERT INTO announcements VALUES (?, ?, '', ?, ?, 'Camille')", [key, slug, at, at])
        deliver(db, key, at + 200, [(contact, "sent") for contact in contacts[:500]])
        for n, contact in enumerate(orders):
            id, ordered = f"{'abc'[e]}{n:07x}", at + (n + 1) * 60_000
            state = "open" if n % 4 == 0 else "cancelled" if n % 40 == 1 else "delivered"
            db.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, '3, rue du Lac', 2, ?, '', ?, 1, 1, ?, ?, '')",
                       [id, slug, contact[0], contact[1], contact[2], contact[4], contact[5], contact[6],
                        "delivery" if n % 2 else "pick_up", state, ordered, ordered])
            confirmation = f"orders/{id}-1"
            new_issue(db, confirmation, "done", ordered, texts["orders"], ordered, ordered + 1000)
            deliver(db, confirmation, ordered, [(contact, "sent")])


def told(db, now, issues):
    """Who did what, and what staff were told."""
    db.executemany(
        "INSERT INTO audit VALUES (?, ?, ?, 'user', ?, ?, '{}', NULL, '192.0.2.0/24')",
        [(f"00000000-0000-7000-8000-{n:012x}", now - n * 600_000, f"user-{n % ACCOUNTS}", ("issue.test", "issue.pause", "session.open")[n % 3],
          f"issue:{issues[n % len(issues)]}" if n % 3 else f"user:user-{n % ACCOUNTS}") for n in range(20_000)],
    )
    db.executemany("INSERT INTO notices (id, issue, kind, text, created_at, sent_at) VALUES (?, ?, ?, '', ?, ?)",
                   [(f"{kind}:{key}", key, kind, now - DAY, now - DAY) for key in issues for kind in ("eve", "summary")])


def account(db, n, now):
    """The cookie of its session."""
    token = urlsafe_b64encode(hashlib.sha256(f"{now} {n}".encode()).digest()).decode().rstrip("=")
    digest = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
    roles = "lecture,redaction,validation,exploitation,administration"
    db.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, 'fr', '$argon2id$', 'JBSWY3DPEHPK3PXP', NULL, ?, 'bench', ?, NULL)",
               [f"user-{n}", f"Personne {n}", f"p{n}@office.test", f"p{n}@office.test", roles, now, now])
    db.execute("INSERT INTO sessions VALUES (?, ?, ?, 'full', 1, ?, ?, ?, ?, ?, 'Firefox, Linux', '127.0.0.0/24')",
               [digest, f"session-{n}", f"user-{n}", now, now, now + 7 * DAY, now + 7 * DAY, now])
    return f"semainier={token}"


def facts(db, issues, cookies, contacts):
    one = lambda text, *values: db.execute(text, values).fetchone()
    paused, newest, middle = issues[0], issues[1], issues[25]
    mark = "SELECT id || '.' || changed_at || '.' || issue FROM deliveries WHERE issue = ? AND state = 'sent' ORDER BY changed_at LIMIT 1 OFFSET ?"
    return {
        "cookies": cookies,
        "paused": paused, "newest": newest, "middle": middle, "doubtful": issues[3], "letter": issues[4],
        "awaiting": one("SELECT key FROM issues WHERE state = 'awaiting_approval'")[0],
        "contact": contacts[len(contacts) // 2][0],
        "address": contacts[len(contacts) // 2][1],
        "delivery": one("SELECT id FROM deliveries WHERE issue = ? LIMIT 1 OFFSET 5000", middle)[0],
        "hash": one("SELECT content_hash FROM issues WHERE key = ?", newest)[0],
        "deep": one(mark, middle, 10_000)[0],
        "deep_newest": one(mark, newest, 10_000)[0],
        "deep_contact": sorted((it[5], it[0]) for it in contacts)[len(contacts) * 3 // 4][1],
        "deep_order": one("SELECT ordered_at || '.' || id FROM orders WHERE state = 'delivered' ORDER BY ordered_at, id LIMIT 1 OFFSET 5000")[0],
        "old_issue": one("SELECT scheduled_for || '.' || key FROM issues WHERE key = ?", issues[30])[0],
        "confirmation": one("SELECT key FROM issues WHERE mailing = 'orders' LIMIT 1")[0],
        "deliveries": one("SELECT count(*) FROM deliveries")[0],
        "attempts": one("SELECT count(*) FROM attempts")[0],
        "issues": one("SELECT count(*) FROM issues")[0],
    }


main(sys.argv[1])
