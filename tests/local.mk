# A test that hangs fails by name after 10 minutes, far more than any takes, and the others go on.
LOG_COMPILER = timeout
AM_LOG_FLAGS = -v -k 10 600
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = $(LOG_COMPILER)
AM_PY_LOG_FLAGS = $(AM_LOG_FLAGS) "$(srcdir)/tests/python.sh"
EXTRA_DIST += tests/python.sh
# Small inputs that once went wrong; the tests that read or name them say what is right.
EXTRA_DIST += tests/cases

dist_check_SCRIPTS += tests/includes.sh tests/map.sh tests/returns.py tests/graph.py
TESTS += tests/includes.sh tests/map.sh

# graph.py compiles sources and reads objects.
AM_TESTS_ENVIRONMENT = CC='$(CC)'; NM='$(NM)'; export CC NM;
TESTS += tests/graph.py tests/returns.py

# EXTRA_DIST cannot name the script ./check: make would take it for the target that runs all tests.
EXTRA_DIST += .clang-format demo tests/lib.sh tests/README.md \
	tests/gateway tests/helper tests/integration tests/package tests/sandbox
dist-hook:
	cp -p "$(srcdir)/check" "$(distdir)"
	find "$(distdir)/tests" -name __pycache__ -prune -exec rm -rf {} +

# "make bench" measures how long a sign-in takes, as a table or, with BENCHFLAGS=--json, as JSON.
check_PROGRAMS += tests/bench/delayline tests/bench/stopwatch
tests_bench_delayline_SOURCES = tests/bench/delayline.c
tests_bench_delayline_CFLAGS = $(AM_CFLAGS) -pthread
tests_bench_delayline_LDADD =
tests_bench_stopwatch_SOURCES = tests/bench/stopwatch.c
tests_bench_stopwatch_LDADD = $(PAM_LIBS)
EXTRA_DIST += tests/bench/figures.py tests/bench/line.py tests/bench/speed.py tests/bench/waits.py

.PHONY: bench
bench: all tests/bench/delayline tests/bench/stopwatch
	OTP_BUILD="$(abs_top_builddir)" /usr/bin/python3 "$(srcdir)/tests/bench/speed.py" $(BENCHFLAGS)
	OTP_BUILD="$(abs_top_builddir)" /usr/bin/python3 "$(srcdir)/tests/bench/waits.py" $(BENCHFLAGS)

# "make figures" prints how long functions and files are.
EXTRA_DIST += tests/figures.py
.PHONY: figures
figures:
	@/usr/bin/python3 "$(srcdir)/tests/figures.py" "$(srcdir)"

# "make check-package" installs, upgrades and removes the package in a small Debian. It needs root, the
# network and some minutes.
check-package:
	"$(srcdir)/tests/package/check"
.PHONY: check-package
