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
# Releases of clients that cannot share an environment with the newest one, one line each, and what they need
# that the environment lacks. Fixed for good: add a release by hand, and the hashes are looked up here.
for list in clients-meter.txt clients-polar.txt clients-shared.txt; do
    sed 's/ .*//' "$list" | while read -r requirement; do
        echo "$requirement" | uv pip compile --quiet --no-deps --generate-hashes --prerelease=allow --no-header \
            --no-annotate --no-emit-index-url - | tr -d '\\\n' | tr -s ' '
        echo
    done > "$list.new"
    mv "$list.new" "$list"
done
