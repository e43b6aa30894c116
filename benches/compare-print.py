#!/usr/bin/env python3
"""What a page costs in processor time, here and with other programs on the same content.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install typst weasyprint
    cargo build --release --example print_cost && /tmp/peers/bin/python benches/compare-print.py

Per document, in milliseconds of user and system time, the start of the process not counted (save Chromium, which needs a
process for each). The others set the same words in three columns, tagged, without fit-to-page and without a QR code: ours
does more. Chromium is looked for as `chromium`; a program that is not there is left out.
"""

import html, json, os, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ROOT / "target/release/examples/print_cost"
FONTS = ROOT / "fonts"
TIMES = 10


def cpu(arguments, **more):
    """Processor milliseconds of a process and its children."""
    before = os.times()
    done = subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True, **more)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent * 1000, done.stdout


def each(command, times=TIMES):
    """Of one document more: many of them less one, the best of three."""
    one = min(cpu(command(1))[0] for _ in range(3))
    many = min(cpu(command(times + 1))[0] for _ in range(3))
    return (many - one) / times


def rows(agenda):
    for day in agenda["days"]:
        entries = []
        for item in day["items"]:
            for event in item["events"]:
                time = event["start"] or event["part_of_day"] or ""
                details = [event[key] for key in ("place", "price", "phone") if event[key]]
                entries.append((time, event["title"], " · ".join(details), event["link"]))
        yield day["date"], entries


def as_html(agenda):
    days = ""
    for date, entries in rows(agenda):
        items = "".join(
            f"<li><b>{time}</b> <strong>{html.escape(title)}</strong><br>{html.escape(details)}</li>"
            for time, title, details, _ in entries
        )
        days += f"<section><h2>{date}</h2><ul>{items}</ul></section>"
    return f"""<!doctype html><html lang="fr"><meta charset="utf-8"><title>Que faire</title><style>
        @font-face {{ font-family: S; src: url("file://{FONTS}/SourceSans3-Regular.ttf") }}
        @font-face {{ font-family: S; font-weight: bold; src: url("file://{FONTS}/SourceSans3-Semibold.ttf") }}
        @page {{ size: A4; margin: 9mm }} body {{ font: 7.4pt S }} main {{ columns: 3 }} ul {{ padding: 0; list-style: none }}
        </style><h1>Que faire à Auch cette semaine</h1><main>{days}</main></html>"""


def as_typst(agenda):
    text = lambda words: json.dumps(words, ensure_ascii=False)
    out = '#set document(title: "Que faire")\n#set page(paper: "a4", margin: 9mm)\n'
    out += '#set text(font: "Source Sans 3", size: 7.4pt, lang: "fr")\n= Que faire à Auch cette semaine\n#columns(3)[\n'
    for date, entries in rows(agenda):
        out += f"== {date}\n"
        for time, title, details, _ in entries:
            out += f"- #strong({text(time)}) #strong({text(title)}) \\ #text({text(details)})\n"
    return out + "]\n"


# A new comment each time, so that nothing is taken from a cache.
TYPST = """import sys, typst, pathlib
source, fonts, times = pathlib.Path(sys.argv[1]).read_text(), sys.argv[2], int(sys.argv[3])
for n in range(times):
    typst.compile(f"{source}// {n}".encode(), font_paths=[fonts], ignore_system_fonts=True, pdf_standards=["ua-1"])"""
WEASYPRINT = """import sys, weasyprint, pathlib
source, times = pathlib.Path(sys.argv[1]).read_text(), int(sys.argv[3])
for n in range(times):
    weasyprint.HTML(string=f"{source}<!-- {n} -->").write_pdf(pdf_variant="pdf/ua-1")"""


def main():
    if not OURS.exists():
        sys.exit("build it first: cargo build --release --example print_cost")
    for events in (20, 60, 120):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            _, peak = cpu([OURS, "poster", events, 1, folder])
            agenda = json.loads((folder / "agenda.json").read_text())
            (folder / "a.html").write_text(as_html(agenda))
            (folder / "a.typ").write_text(as_typst(agenda))
            costs = {
                f"ours, poster (peak {peak.strip()})": each(lambda n: [OURS, "poster", events, n], 40),
                "ours, poster + booklet + imposed": each(lambda n: [OURS, "all", events, n], 40),
            }
            for name, script, source in (("typst", TYPST, "a.typ"), ("weasyprint", WEASYPRINT, "a.html")):
                if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode == 0:
                    costs[name] = each(lambda n: [sys.executable, "-c", script, folder / source, FONTS, n], 5)
            if chromium := shutil.which("chromium"):
                flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}"]
                command = [chromium, *flags, f"--print-to-pdf={folder}/c.pdf", f"file://{folder}/a.html"]
                costs["chromium (one process)"] = min(cpu(command)[0] for _ in range(3))
        base = next(iter(costs.values()))
        print(f"{events} events")
        for name, cost in costs.items():
            print(f"  {name:42} {cost:8.1f} ms  x{cost / base:.1f}")


main()
