#!/usr/bin/env python3
"""What the experiments compute by themselves: intervals, McNemar's test, the values of ListOps' expressions.

    experiments_test.py REPOSITORY
"""

import json
import pathlib
import random
import sys
import unittest

repository = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(repository / "scripts" / "experiments"))

import bench  # noqa: E402
import listops  # noqa: E402


def value_of(tokens):
    """By reading from left to right with a stack, where the script makes expressions from the top down."""
    stack = []
    for token in tokens:
        if token != "]":
            stack.append(token)
            continue
        values = []
        while stack[-1] in "0123456789":
            values.insert(0, int(stack.pop()))
        operator = stack.pop()
        middle = sorted(values)[len(values) // 2]
        stack.append(str({"[MIN": min(values), "[MAX": max(values), "[MED": middle, "[SM": sum(values) % 10}[operator]))
    return int(stack.pop())


class Statistics(unittest.TestCase):
    def test_mcnemar_is_the_binomial_of_what_one_alone_finds(self):
        right, others = [1] * 5 + [0] + [1] * 4, [0] * 5 + [1] + [1] * 4
        only, other, p = bench.mcnemar(right, others)
        self.assertEqual((only, other), (5, 1))
        self.assertAlmostEqual(p, 2 * (1 + 6) / 64)
        self.assertEqual(bench.mcnemar([1, 0], [1, 0]), (0, 0, 1.0))

    def test_intervals_are_of_differences_in_pairs(self):
        draw = random.Random(3)
        numbers = [draw.gauss(0, 10) for _ in range(400)]
        value, low, high = bench.paired([number + 1 + draw.gauss(0, 0.2) for number in numbers], numbers)
        self.assertAlmostEqual(value, 1, delta=0.05)
        # 1.96 · 0.2 / √400 to each side, though the numbers themselves differ a hundred times as much.
        self.assertAlmostEqual(high - low, 2 * 1.96 * 0.01, delta=0.006)
        self.assertTrue(low < value < high)

    def test_counts_are_read_as_the_program_reads_them(self):
        self.assertEqual([bench.count_of(text) for text in ("300", "1.5k", "2M", "500k or 2M")], [300, 1500, 2000000, 2000000])

    def test_neighbours_are_equal_groups(self):
        self.assertEqual(bench.neighbours(6, 3), [[0, 1], [2, 3], [4, 5]])


class ListOps(unittest.TestCase):
    def test_expressions_have_the_values_that_are_said(self):
        lines = [json.loads(line) for line in listops.items(300, 5, 5, 60).splitlines()]
        self.assertEqual(len({line["text"] for line in lines}), 300)
        for line in lines:
            tokens = line["text"].split()
            self.assertTrue(5 <= len(tokens) <= 60)
            self.assertTrue(set(tokens) <= set(listops.TOKENS))
            self.assertEqual(value_of(tokens), line["label"])
        self.assertGreater(len({line["label"] for line in lines}), 8)
        self.assertEqual(value_of("[MAX 2 9 [MIN 4 7 ] [SM 8 5 ] ]".split()), 9)


if __name__ == "__main__":
    unittest.main()
