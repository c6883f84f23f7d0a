#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws the pictures of the results (charts.py) as SVG; needs Debian's
python3-matplotlib, so it runs with Debian's python3.

    bench/pictures.py --results DIR --pictures DIR [--png]

The same results give the same bytes with the same matplotlib: no date, fixed
ids, text as text. Pictures of former results are removed. Colours
are those of Okabe and Ito, on white: readable for the colour-blind, and in a
dark page. --png writes PNG files as well, to look at.
"""
import argparse
import glob
import os
import sys

sys.dont_write_bytecode = True
import matplotlib  # noqa: E402
matplotlib.use("svg")
from matplotlib.figure import Figure as Canvas  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from matplotlib.ticker import (FixedLocator, FuncFormatter,  # noqa: E402
                               LogLocator, MaxNLocator,
                               NullFormatter, NullLocator)

from charts import NAMES, charts, ticks  # noqa: E402
from figures import Results, three_digits  # noqa: E402

WIDTH = 8.0  # inches; 72 points each, 768 pixels in a browser
OWN = "#0072B2"
PEER = "#A6A6A6"
DOT = "#333333"
FAINT = "#767676"
LINES = ("#D55E00", "#009E73", "#CC79A7", "#B87F00", "#000000", "#8C6D31",
         "#637939", "#7B4173")
MARKERS = "svD^P*Xv<>h"
PARTS = ("#A6A6A6", "#E69F00", OWN)
# Ours among other lines: related colours.
OWN_LINES = {"alloctrace": OWN, "alloctrace, sampling": "#4BA3DB",
             "alloctrace, off": "#5B6F8A"}
STYLE = {
    "svg.hashsalt": "alloctrace", "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"], "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 11, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.grid": False,
    "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "figure.facecolor": "white", "axes.facecolor": "white",
    "savefig.facecolor": "white", "savefig.dpi": 96,
}
SMALL = 7.5  # points
X_LABEL = 0.44  # inches below the axes for ticks and their label


def canvas(chart, height, n_plots=1):
    """A figure of that height in inches, with title and source."""
    figure = Canvas(figsize=(WIDTH, height))
    figure.text(0.012, 1 - 0.26 / height, chart.title, fontsize=12,
                fontweight="bold", color="black")
    figure.text(0.012, 0.10 / height, shortened(chart.source), fontsize=6.5,
                color=FAINT)
    if chart.notes:
        figure.text(0.012, 0.27 / height, chart.notes, fontsize=SMALL,
                    color=DOT)
    return figure, figure.subplots(1, n_plots, squeeze=False)[0]


def foot(figure):
    """Inches that the lines at the bottom take."""
    return 0.52 if len(figure.texts) > 2 else 0.34


def shortened(text, most=150):
    return text if len(text) <= most else text[:most - 1] + "…"


def place(figure, height, left, right, top=0.5, gap=0.3):
    """Margins in inches; below the axes stand notes and the source."""
    bottom = X_LABEL + foot(figure)
    figure.subplots_adjust(left=left / WIDTH, right=1 - right / WIDTH,
                           top=1 - top / height, bottom=bottom / height,
                           wspace=gap)


def save(figure, path, is_png):
    figure.savefig(path, format="svg", metadata={"Date": None})
    if is_png:
        figure.savefig(path[:-len("svg")] + "png", format="png")


# ---- Axes ----

def times_ticks(axis, low, high):
    """1, 2, 5, 10, ... of a logarithmic axis of ratios."""
    wanted = [value for value in (0.5, 0.7, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 30,
                                  50, 100, 200, 300, 500, 1000)
              if low <= value <= high]
    if high / low > 20:
        wanted = [value for value in wanted if value not in (0.7, 1.2, 1.5)]
    axis.set_major_locator(FixedLocator(wanted))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def label_axis(axis, text):
    """Says if it is logarithmic."""
    if axis.get_scale() == "log":
        text += " (logarithmic)"
    axis.set_label_text(text, fontsize=8.5)


def count_axis(axes, values):
    """A logarithmic x axis that names the measured counts, if few; a linear
    one if 0 is among them."""
    if min(values) > 0:
        axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    if len(values) <= 6 or min(values) == 0:
        axes.xaxis.set_major_locator(FixedLocator(sorted(values)))
    else:
        axes.xaxis.set_major_locator(LogLocator(base=10, numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(
        lambda value, _: ticks(value)))


def quantity_axis(axes, values):
    """A y axis of numbers, not of powers of ten: linear from 0 on, but
    logarithmic where that would hide the smallest."""
    low, high = min(values), max(values)
    if high < 8 * low:
        axes.set_ylim(0, 1.08 * high)
        axes.yaxis.set_major_locator(MaxNLocator(6))
    else:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(
            base=10, subs=(1,) if high > 30 * low else (1, 2, 5)))
        axes.set_ylim(low / 1.4, high * 1.4)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(
        lambda value, _: f"{value:,.0f}" if value >= 1000 else f"{value:g}"))


# ---- Bars ----

def draw_bars(chart):
    height = 1.5 + 0.29 * len(chart.bars)
    figure, (axes,) = canvas(chart, height)
    values = [value for bar in chart.bars for value in [bar.value, *bar.dots]]
    low, high = min(0.9, 0.9 * min(values)), 1.25 * max(max(values), 1.6)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    for y, bar in enumerate(chart.bars):
        colour = OWN if bar.is_own else PEER
        axes.barh(y, bar.value - 1, left=1, height=0.66, color=colour)
        axes.plot(bar.dots, [y] * len(bar.dots), "o", color=DOT, markersize=3,
                  markeredgecolor="white", markeredgewidth=0.4, zorder=3)
    axes.set_yticks(range(len(chart.bars)))
    axes.set_yticklabels([bar.label for bar in chart.bars])
    for text, bar in zip(axes.get_yticklabels(), chart.bars):
        text.set_fontweight("bold" if bar.is_own else "normal")
        text.set_color(OWN if bar.is_own else "black")
    name_values(axes, chart.bars)
    finish_bars(axes, chart, low, high)
    place(figure, height, left=2.55, right=0.75)
    return figure


def name_values(axes, bars):
    """The means, in a column of their own to the right of the bars."""
    for y, bar in enumerate(bars):
        axes.text(1.015, y, three_digits(bar.value) + " ×",
                  transform=axes.get_yaxis_transform(), va="center",
                  fontweight="bold" if bar.is_own else "normal",
                  color=OWN if bar.is_own else "black")


def finish_bars(axes, chart, low, high):
    axes.set_ylim(len(chart.bars) - 0.4, -0.6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    times_ticks(axes.xaxis, low, high)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    label_axis(axes.xaxis, chart.x_label)


# ---- Stacked bars ----

def draw_stacks(chart):
    height = 1.75 + 0.34 * len(chart.stacks)
    figure, (axes,) = canvas(chart, height)
    for y, stack in enumerate(chart.stacks):
        left = 0
        for (_, length), colour in zip(stack.parts, PARTS):
            axes.barh(y, length, left=left, height=0.62, color=colour)
            left += length
        ideal = stack.parts[0][1] + stack.parts[1][1]
        axes.text(1.015, y, f"{three_digits(ideal)} → {three_digits(left)} ×",
                  transform=axes.get_yaxis_transform(), va="center")
    axes.set_yticks(range(len(chart.stacks)))
    axes.set_yticklabels([stack.label for stack in chart.stacks])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    label_axis(axes.xaxis, chart.x_label)
    names = [name for name, _ in chart.stacks[0].parts]
    figure.legend([Patch(color=colour) for colour in PARTS], names,
                  loc="upper left", ncol=3, frameon=False, fontsize=8.5,
                  bbox_to_anchor=(0.004, 1 - 0.33 / height),
                  handlelength=1.2, columnspacing=1.6)
    place(figure, height, left=2.3, right=1.25, top=0.75)
    return figure


# ---- Lines ----

def number(value):
    return f"{value:,.0f}" if value >= 1000 else three_digits(value)


def apart(wanted, distance, low, high):
    """Positions near the wanted ones, ascending, so far apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    found = [wanted[i] for i in order]
    for _ in range(400):
        for i in range(len(found) - 1):
            lacking = distance - (found[i + 1] - found[i])
            if lacking > 1e-9:
                found[i] -= lacking / 2
                found[i + 1] += lacking / 2
        found = [min(max(value, low), high) for value in found]
    result = [0] * len(wanted)
    for position, i in zip(found, order):
        result[i] = position
    return result


def label_lines(axes, lines, colours, inches):
    """Names each line at its end, none over another."""
    axes.figure.canvas.draw()
    place_of = axes.transData + axes.transAxes.inverted()
    ends = [place_of.transform(line.points[-1])[1] for line in lines]
    spots = apart(ends, 0.165 / inches, 0, 1)
    for line, colour, end, spot in zip(lines, colours, ends, spots):
        axes.annotate(
            f"{line.label}  {number(line.points[-1][1])}", xy=(1.0, end),
            xytext=(1.035, spot), xycoords="axes fraction",
            textcoords="axes fraction", va="center", fontsize=8.5,
            color=colour, fontweight="bold" if line.is_own else "normal",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5,
                        "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)},
            annotation_clip=False)


def colours_of(lines):
    """Ours blue, plain grey, the others one each."""
    others = iter(LINES * (1 + len(lines) // len(LINES)))
    return [OWN_LINES.get(line.label) or
            (FAINT if line.label.startswith("plain") else next(others))
            for line in lines]


def draw_lines(chart):
    plot = chart.plots[0]
    height = 4.2
    figure, (axes,) = canvas(chart, height)
    colours = colours_of(plot.lines)
    for line, colour, marker in zip(plot.lines, colours,
                                    "o" + MARKERS * 3):
        axes.plot(*zip(*line.points), color=colour, marker=marker,
                  markersize=4.5, linewidth=2.4 if line.label == "alloctrace"
                  else 1.4, linestyle="--" if line.label.startswith("plain")
                  else "-", clip_on=False, zorder=3 if line.is_own else 2)
    points = [point for line in plot.lines for point in line.points]
    count_axis(axes, {x for x, _ in points})
    axes.set_xlim(min(x for x, _ in points), max(x for x, _ in points))
    quantity_axis(axes, [y for _, y in points])
    axes.grid(axis="y")
    label_axis(axes.yaxis, plot.y_label)
    label_axis(axes.xaxis, chart.x_label)
    place(figure, height, left=0.85, right=2.55)
    label_lines(axes, plot.lines, colours,
                height - 0.5 - X_LABEL - foot(figure))
    return figure


def draw_growth(chart):
    height = 3.2
    figure, many = canvas(chart, height, len(chart.plots))
    for axes, plot in zip(many, chart.plots):
        points = plot.lines[0].points
        last_x, last_y = points[-1]
        linear = [(x, last_y * x / last_x) for x, _ in points]
        axes.plot(*zip(*points), "o-", color=OWN, markersize=4.5,
                  linewidth=2, label=plot.lines[0].label)
        if plot.is_linear_shown:
            axes.plot(*zip(*linear), "--", color="#E69F00", linewidth=1.4,
                      label="linear", zorder=3)
        count_axis(axes, [x for x, _ in points])
        quantity_axis(axes, [y for _, y in points +
                             linear * plot.is_linear_shown])
        axes.grid()
        axes.set_title(plot.y_label, fontsize=9, fontweight="normal")
        label_axis(axes.xaxis, chart.x_label)
        axes.tick_params(labelsize=8)
    many[0].legend(frameon=False, fontsize=8.5, loc="upper left")
    place(figure, height, left=0.6, right=0.35, top=0.72)
    return figure


DRAWN = {"bars": draw_bars, "stacks": draw_stacks, "lines": draw_lines,
         "growth": draw_growth}


def draw_all(results, folder, is_png=False):
    os.makedirs(folder, exist_ok=True)
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    drawn = set()
    for chart in charts(results):
        path = chart.path(folder)
        save(DRAWN[chart.kind](chart), path, is_png)
        drawn.add(path)
    for name in NAMES:
        for path in glob.glob(os.path.join(folder, name + ".svg")):
            if path not in drawn:
                os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", required=True)
    parser.add_argument("--pictures", required=True)
    parser.add_argument("--png", action="store_true")
    arguments = parser.parse_args()
    draw_all(Results.read(arguments.results), arguments.pictures, arguments.png)


if __name__ == "__main__":
    main()
