# The Python environment of tests that need transformers, in build/interop; to be sourced, in the project's root. It sees
# the torch of the build as if that were installed there.

TRANSFORMERS="transformers==5.24.0"
venv=build/interop
python=$venv/bin/python

install() {
  "$python" -m pip install --disable-pip-version-check --no-input --timeout 20 --retries 1 -qq "$@" </dev/null
}

make_environment() {
  local torch
  torch=$(cmake -P cmake/FindLibTorch.cmake 2>&1 | sed -n 's/^-- LibTorch [^:]*: //p')
  [ -x "$python" ] || python3 -m venv "$venv"
  dirname "$torch" >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch_of_the_build.pth"
  "$python" -c 'import torch' 2>/dev/null || install torch
}

# Whether a package is there, or can be installed.
provide() {
  local module=$1
  shift
  "$python" -c "import $module" 2>/dev/null || install "$@"
}
