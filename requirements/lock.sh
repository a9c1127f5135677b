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
# Old releases of meter-sdk need what the newest one needs; each is installed alone.
for release in 0.1.0 0.2.0 0.3.0 0.4.0 0.5.0 0.6.0 0.7.0 0.7.1 0.7.2; do
    echo "meter-sdk==$release" | compile --no-deps - -o "client-meter-$release.txt"
done
