"""Writes sets.csv and points.csv beside itself: sets of random points, and what pagmo2 says of them.

usage: make.py   (pygmo and numpy; the version of pygmo that was used stands in sets.csv)

A row of sets.csv: how many of the objectives pagmo2 looked at (the others are constant), the reference point, and the
hypervolume. pagmo2 refuses points that do not lie below the reference; they are left out of that number, not of the set.
A row of points.csv: the set, the objectives, the rank, and the crowding distance within the front. Where points of a set
share an objective, pagmo2's distances depend on how it sorts, and a front of one point has none; `-` stands there.
All objectives are integers. Some sets have ties and copies, in others no two points share an objective.
"""
import csv
import importlib.metadata
import os

import numpy as np
import pygmo

random = np.random.default_rng(20261129)


def tied(count, sides):
    """Points on a small grid, the last quarter of them copies of others."""
    points = np.stack([random.integers(0, side, count) for side in sides], axis=1)
    copies = count // 4
    points[count - copies:] = points[random.integers(0, count - copies, copies)]
    return points


def untied(count):
    return np.stack([random.permutation(count) for _ in range(3)], axis=1)


def flat(points):
    points[:, 2] = 0
    return points


def hypervolume(points, reference):
    inside = points[(points < reference).all(axis=1)]
    return pygmo.hypervolume(inside.astype(float)).compute(np.array(reference, float))


def crowding(points, fronts):
    result = ["-"] * len(points)
    if any(len(set(column)) < len(points) for column in points.T):
        return result
    for front in fronts:
        if len(front) > 1:
            for i, distance in zip(front, pygmo.crowding_distance(points[front])):
                result[i] = repr(float(distance))
    return result


def sets():
    """Points, objectives that count, reference."""
    for count, side in ((2, 3), (12, 3), (25, 4), (40, 6), (60, 9), (60, 30)):
        yield tied(count, (side, side, side)), 3, [side - side // 4] * 3
    yield tied(30, (2, 8, 8)), 3, [2, 8, 8]
    yield tied(30, (8, 1, 8)), 3, [8, 1, 7]
    yield tied(30, (8, 8, 1)), 2, [8, 8, 1]
    yield flat(untied(40)), 2, [38, 36, 1]
    for count in (3, 20, 40, 70):
        yield untied(count), 3, [count - count // 10] * 3


def write(name, columns, rows):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


set_rows = []
point_rows = []
for number, (points, objectives, reference) in enumerate(sets()):
    compared = points[:, :objectives].astype(float)
    fronts, _, _, ranks = pygmo.fast_non_dominated_sorting(compared)
    set_rows.append([number, objectives, *reference, float(hypervolume(points, reference)),
                     importlib.metadata.version("pygmo")])
    point_rows += [[number, *point, rank, distance]
                   for point, rank, distance in zip(points, ranks, crowding(compared, fronts))]
write("sets.csv", ["set", "objectives", "size", "error", "compute", "hypervolume", "pygmo"], set_rows)
write("points.csv", ["set", "size", "error", "compute", "rank", "crowding"], point_rows)
