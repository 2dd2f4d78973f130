dist_check_SCRIPTS += tests/includes.sh tests/map.sh
TESTS += tests/includes.sh tests/map.sh

# Named in EXTRA_DIST, ./check would be the target of that name: a run of all tests.
EXTRA_DIST += .clang-format demo tests/lib.sh tests/README.md \
	tests/gateway tests/helper tests/integration tests/package tests/sandbox
dist-hook:
	cp -p "$(srcdir)/check" "$(distdir)"
	find "$(distdir)/tests" -name __pycache__ -prune -exec rm -rf {} +
