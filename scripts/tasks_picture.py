#!/usr/bin/env python3
"""Draws the table of tasks_table.py as bars: a group of bars for each task, a bar for each model.

    tasks_picture.py TABLE.txt -o PICTURE.svg --title "SmolLM2-135M at half its KV cache"
"""

import argparse
import html
import pathlib

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 330, 52, 66, 58
COLOURS = ["#6b7280", "#b5530f", "#7fa8d9", "#1f5aa6"]


def rows_of(text):
    """Titles of the columns and the rows below them, as cells."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return lines[0], [line for line in lines[1:] if not set("".join(line)) <= set("- ")]


def text(x, y, words, anchor="middle", size=13, weight="400", colour="#1b1d20"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{colour}">{html.escape(words)}</text>')


def bar(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def picture(title, tasks, models):
    """`models`: (name, shares in per cent, by task)."""
    inner, top = HEIGHT - BOTTOM - TOP, 5 * -(-max(share for _, shares in models for share in shares) // 5)
    height_of = lambda share: inner * share / top
    parts = [text(LEFT, 24, title, "start", 16, "600")]
    for mark in range(0, int(top) + 1, 10):
        y = HEIGHT - BOTTOM - height_of(mark)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 12}" stroke="#e2e3e5"/>')
        parts.append(text(LEFT - 8, y + 4, f"{mark} %", "end", 12, colour="#61666d"))
    group = (WIDTH - LEFT - 12) / len(tasks)
    width = group * 0.78 / len(models)
    for t, task in enumerate(tasks):
        begin = LEFT + t * group + group * 0.11
        parts.append(text(LEFT + (t + 0.5) * group, HEIGHT - BOTTOM + 20, task))
        for m, (_, shares) in enumerate(models):
            x, tall = begin + m * width, height_of(shares[t])
            parts.append(bar(x, HEIGHT - BOTTOM - tall, width - 3, tall, COLOURS[m]))
            parts.append(text(x + (width - 3) / 2, HEIGHT - BOTTOM - tall - 5, f"{shares[t]:.1f}", size=11.5))
    x = LEFT
    for m, (name, _) in enumerate(models):
        parts.append(bar(x, HEIGHT - 28, 12, 12, COLOURS[m]))
        parts.append(text(x + 18, HEIGHT - 17, name, "start", 12.5))
        x += 48 + 6.8 * len(name)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Inter, system-ui, sans-serif" '
            f'role="img"><title>{html.escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fbfbfa"/>'
            + "\n".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--title", required=True)
    options = parser.parse_args()
    titles, rows = rows_of(options.table.read_text(encoding="utf-8"))
    models = [(row[0], [float(share) for share in row[3:]]) for row in rows]
    options.output.write_text(picture(options.title, titles[3:], models[:len(COLOURS)]), encoding="utf-8")


if __name__ == "__main__":
    main()
