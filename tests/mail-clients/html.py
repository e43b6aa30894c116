"""Writes the HTML of messages into a folder: html.py FOLDER MESSAGE.eml…"""

import email
import email.policy
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for path in map(pathlib.Path, sys.argv[2:]):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    if part := message.get_body(("html",)):
        (folder / f"{path.stem}.html").write_text(part.get_content())
