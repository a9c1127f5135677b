#!/bin/sh
# Rewrites the lock files: versions and hashes, no addresses. Needs `uv` on PATH.
set -eu
cd "$(dirname "$0")"
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --prerelease=if-necessary-or-explicit --no-emit-index-url --no-emit-find-links --no-header \
        --annotation-style line "$@"
}
compile ../pyproject.toml build.in -o run.txt
compile ../pyproject.toml build.in dev.in -c run.txt -o dev.txt
# Releases of one client that cannot share an environment with its newest release.
for release in 0.16.11 0.32.0; do
    echo "polar-sdk==$release" | compile - -o "client-polar-$release.txt"
done
