#!/bin/sh
# Prepares .venv and nothing else: finds a Python 3.10 that runs, puts uv and every locked package under .venv.
# Set SWEEPER_PYTHON to choose the Python yourself.
set -eu
cd "$(dirname "$0")/.."
UV_VERSION=0.13.9
UV=.venv/.uv/bin/uv

# What the surrounding shell has set for other environments must not reach this one.
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME UV_PYTHON UV_PROJECT_ENVIRONMENT CONDA_PREFIX 2>/dev/null || true
export PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export UV_PYTHON_INSTALL_DIR="$PWD/.venv/.python" UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.venv/.cache}"

say() { echo "setup: $*" >&2; }

# A pyenv shim is on PATH and fails where another version is active, so every candidate has to answer.
pythons() {
    [ -z "${SWEEPER_PYTHON:-}" ] || echo "$SWEEPER_PYTHON"
    for name in python3.10 python3 python; do
        command -v "$name" 2>/dev/null || true
    done
    for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do
        [ -z "$root" ] || ls -d "$root"/versions/3.*/bin/python 2>/dev/null || true
    done
    ls -d /usr/bin/python3 /usr/local/bin/python3* /opt/*/bin/python3.10 2>/dev/null || true
}

first_that() {
    pythons | while read -r candidate; do
        if "$candidate" "$@" >/dev/null 2>&1 </dev/null; then
            echo "$candidate"
            break
        fi
    done
}

get_uv() {
    [ -x "$UV" ] && "$UV" --version 2>/dev/null | grep -q "^uv $UV_VERSION" && return
    with_pip=$(first_that -m pip --version)
    if [ -n "$with_pip" ]; then
        say "putting uv $UV_VERSION under .venv"
        rm -rf .venv/.uv
        "$with_pip" -m pip install --quiet --target .venv/.uv "uv==$UV_VERSION"
    elif command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
        mkdir -p .venv/.uv/bin
        ln -sf "$(command -v uv)" "$UV"
    else
        say "no Python with pip was found, and no uv."
        say "install Python 3.10 with pip, or uv, then run this again."
        exit 3
    fi
}

get_uv
python=$(first_that -c 'import sys; sys.exit(not ((3, 10, 1) <= sys.version_info < (3, 11)))')
if [ -z "$python" ]; then
    say "no Python 3.10 found here; having uv fetch one"
    if ! "$UV" python install --quiet 3.10 || ! python=$("$UV" python find --managed-python 3.10); then
        say "there is no Python 3.10 on this machine, and uv could not fetch one."
        say "mlagents 1.1.0 needs exactly 3.10: install it, or set SWEEPER_PYTHON to one, then run this again."
        exit 3
    fi
fi
say "using $python ($("$python" --version 2>&1))"
"$UV" venv --quiet --allow-existing --python "$python" .venv
say "installing the locked packages (torch is large; once)"
# Compiled here: where PYTHONDONTWRITEBYTECODE is set, as in many containers, every start would compile all of it anew.
"$UV" pip sync --quiet --python .venv --compile-bytecode --require-hashes requirements.lock
"$UV" pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q sweeper
case "$UV_CACHE_DIR" in "$PWD"/.venv/*) rm -rf "$UV_CACHE_DIR" ;; esac
touch .venv/.ready
say "ready"
