#!/usr/bin/env python3
"""Writes what the program is made of: a CycloneDX document of every library that is linked or compiled in.

    sbom.py PROGRAM VERSION -o FILE

Shared libraries are those that the loader finds, by the Debian package that they come from; what is compiled in stands in
COMPILED_IN. Licences are SPDX expressions. A library that has none here is an error, so that none is forgotten.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

# Debian source packages of shared libraries → licence.
LICENCES = {
    "fmtlib": "MIT", "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1", "glibc": "LGPL-2.1-or-later",
    "libjpeg-turbo": "IJG AND BSD-3-Clause AND Zlib", "libpng1.6": "libpng-2.0", "openssl": "Apache-2.0",
    "pcre2": "BSD-3-Clause", "utf8proc": "MIT AND Unicode-DFS-2015", "zlib": "Zlib",
}
# Headers and sources that the program is compiled with: Debian package → licence.
COMPILED_IN = {
    "libeigen3-dev": "MPL-2.0", "libcli11-dev": "BSD-3-Clause", "nlohmann-json3-dev": "MIT",
    "librandom123-dev": "BSD-3-Clause", "libjs-chart.js": "MIT",
}
TORCH_LICENCE = "BSD-3-Clause"


def printed(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def shared_libraries(program):
    """Paths of the libraries that the loader finds for a program."""
    found = re.findall(r"=> (/\S+)", printed("ldd", program))
    if not found:
        sys.exit(f"sbom: the loader finds no libraries of {program}")
    return [pathlib.Path(path) for path in found]


def debian_package(path):
    """Source package and version of a file; nothing where no package brings it."""
    for name in (path, path.resolve(), pathlib.Path("/usr") / str(path).lstrip("/")):
        if owner := printed("dpkg-query", "--search", str(name)).partition(":")[0]:
            fields = printed("dpkg-query", "--showformat=${source:Package} ${Version}", "--show", owner.split(",")[0])
            return tuple(fields.split("\n")[0].split(" "))
    return None


def component(name, version, licence, kind="library"):
    return {"type": kind, "name": name, "version": version, "licenses": [{"expression": licence}]}


def torch_component(libraries):
    folder = next(path for path in libraries if path.name.startswith("libtorch_cpu")).resolve().parents[1]
    version = re.search(r"__version__ = '([^']+)'", (folder / "version.py").read_text()) if (folder / "version.py").exists() else None
    return component("torch", version[1] if version else "unknown", TORCH_LICENCE)


def components(program):
    libraries = shared_libraries(program)
    found = {"torch": torch_component(libraries)}
    torch_folder = next(path for path in libraries if path.name.startswith("libtorch_cpu")).parent
    for path in libraries:
        if path.parent == torch_folder or "torch.libs" in path.parts:
            continue
        package = debian_package(path)
        if package is None or package[0] not in LICENCES:
            sys.exit(f"sbom: no licence is known of {path}, of package {package[0] if package else 'none'}")
        found[package[0]] = component(*package, LICENCES[package[0]])
    for package, licence in COMPILED_IN.items():
        version = printed("dpkg-query", "--showformat=${Version}", "--show", package)
        found[package] = component(package.removesuffix("-dev"), version or "unknown", licence)
    return [found[name] for name in sorted(found)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("version")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                "metadata": {"component": component("regroup", options.version, "Apache-2.0", "application")},
                "components": components(options.program)}
    options.output.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
