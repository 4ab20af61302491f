#!/usr/bin/env python3
"""The Python module beside the program: groupings, fronts, a search with progress, what is refused.

    module_test.py ROOT PROGRAM         the module in ROOT/python beside a program
    module_test.py ROOT                 the installed module with its own program
"""

import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1])
if len(sys.argv) > 2:
    sys.path.insert(0, str(ROOT / "python"))
    os.environ["REGROUP_PROGRAM"] = sys.argv[2]

import regroup  # noqa: E402

MODEL = ROOT / "examples/demo-llama"
QUICK = {"method": "neighbour", "fitness": "wse", "merge": "mean", "measure": 0}
# As the schema's description has them.
WIDE = """{"format": "regroup.grouping", "version": 2, "model": {"head_dim": 4}, "merge": "optimal", "layers": [
 {"index": 1, "key_groups": [[0], [1]]},
 {"index": 0, "key_groups": [[0, 1]], "value_groups": [[0, 1]], "key_widths": [6], "value_widths": [4], "name": "a"}]}"""


class ModuleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.said = []
        cls.front = regroup.search(MODEL, cls.folder / "run", kv=[0.5, 0.25], progress=cls.said.append, **QUICK)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name

    def test_a_search_returns_its_front_and_tells_its_stages(self):
        self.assertEqual([point.kv_ratio for point in self.front.points if point.series == "search"], [0.25, 0.5])
        self.assertIn("inner products of heads", [line.stage for line in self.said])
        self.assertTrue(all(line.fraction is None or 0 <= line.fraction <= 1 for line in self.said))

    def test_a_front_is_read_again_and_is_a_table(self):
        again = regroup.read_front(self.folder / "run")
        self.assertEqual(again, self.front)
        self.assertEqual(again.table()[0]["kv_ratio"], again.points[0].kv_ratio)
        self.assertIsNone(again.points[0].loss)
        self.assertEqual(again.best(0.3).kv_ratio, 0.25)
        with self.assertRaisesRegex(ValueError, "no point within 0.1"):
            again.best(0.1)

    def test_what_the_program_wrote_is_written_again_the_same(self):
        point = self.front.best(0.5)
        grouping = point.grouping()
        self.assertEqual(grouping.kv_ratio, point.kv_ratio)
        grouping.write(self.folder / "again.json")
        self.assertEqual(regroup.read_grouping(self.folder / "again.json"), grouping)
        regroup.run("convert", MODEL, "--grouping", self.folder / "again.json", "-o", self.folder / "a", "-q")
        regroup.run("convert", MODEL, "--grouping", point.file, "-o", self.folder / "b", "-q")
        self.assertEqual(*((self.folder / name / "model.safetensors").read_bytes() for name in "ab"))

    def test_widths_count_and_unknown_fields_stay(self):
        grouping = regroup.read_grouping(self.write("wide.json", WIDE))
        # 6 + 4 numbers of 16, and two whole heads of keys and of values.
        self.assertAlmostEqual(grouping.kv_ratio, (10 / 4 + 4) / 8)
        self.assertEqual(grouping.layers[0].other, {"name": "a"})
        self.assertIn('"version": 2', grouping.text())
        self.assertEqual(regroup.read_grouping(self.write("again.json", grouping.text())), grouping)

    def test_files_that_are_no_groupings_are_refused(self):
        for text, message in [("{", "no JSON"), ("[]", "no regroup.grouping"), ('{"format": "x"}', "no regroup.grouping"),
                              ('{"format": "regroup.grouping", "version": 1}', "lists no layers"),
                              ('{"format": "regroup.grouping", "version": 1, "layers": [{"index": 0}]}', "not a layer"),
                              (WIDE.replace("[[0], [1]]", "[[0], [0]]"), "KV heads is in one group")]:
            with self.assertRaisesRegex(ValueError, message):
                regroup.read_grouping(self.write("bad.json", text))

    def test_refusals_of_the_program_come_as_errors(self):
        with self.assertRaises(regroup.RegroupError) as refused:
            regroup.search(MODEL, self.folder / "none", kv=[7], **QUICK)
        self.assertEqual(refused.exception.status, 2)
        self.assertIn("--kv", str(refused.exception))
        with self.assertRaises(regroup.RegroupError):
            regroup.run("inspect", self.folder / "absent")

    def test_an_exception_of_the_callback_ends_the_search(self):
        def stop(_):
            raise KeyError("enough")

        with self.assertRaisesRegex(KeyError, "enough"):
            regroup.search(MODEL, self.folder / "stopped", progress=stop, **QUICK)

    def test_more_than_means_is_not_applied(self):
        try:
            from torch import no_grad  # noqa: F401
        except ImportError:
            self.skipTest("no torch")
        with self.assertRaisesRegex(ValueError, "use regroup convert"):
            regroup.apply_grouping(None, self.write("aligned.json", WIDE.replace('"version": 2', '"version": 1')))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
