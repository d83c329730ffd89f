"""``python -m polybawt_tui``: the terminal, or a picture of it without one."""

import argparse
import asyncio
import re
import sys
from getpass import getuser
from pathlib import Path

from polybawt_tui.app import run, screenshot


def size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,3})x(\d{2,3})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 120x40")
    return int(match[1]), int(match[2])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="polybawt-tui", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="the engine's audit.sock")
    parser.add_argument("--actor", default=getuser(), help="who is named in the journal")
    parser.add_argument("--screenshot", type=Path, metavar="SVG", help="write a picture and leave")
    parser.add_argument("--size", type=size, default=(120, 40), metavar="COLUMNSxLINES")
    parser.add_argument("--after", type=float, default=2.0, metavar="SECONDS")
    options = parser.parse_args(arguments)
    if options.screenshot is None:
        return run(options.socket, options.actor)
    try:
        picture = asyncio.run(screenshot(options.socket, size=options.size, after_s=options.after))
    except TimeoutError:
        print(f"no engine answers at {options.socket}", file=sys.stderr)  # noqa: T201
        return 1
    options.screenshot.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
