dist_check_SCRIPTS += tests/includes.sh
TESTS += tests/includes.sh

EXTRA_DIST += .clang-format demo check tests/lib.sh \
	tests/gateway tests/helper tests/integration tests/sandbox
dist-hook:
	find "$(distdir)/tests" -name __pycache__ -prune -exec rm -rf {} +
