#!/bin/sh
# The map of tests/README.md: each of its facts stands there once with a test or with the words that
# say why there is none, and every test that it names is there.
set -u
facts='Q34 C43' # the last of each letter

# words_of FILE: what stands in `back quotes` there, a line each, if it names a file of the tests
words_of() {
	awk -F'`' '{ for (i = 2; i <= NF; i += 2) print $i }' "$1" |
		grep -E '^(unit|module|helper|integration|gateway|package)/[a-z_-]+(/[a-z_-]+)*\.(c|py|sh)(::.*)?$'
}

# is_there FOLDER FILE::NAME: whether the file there has a test of that name
is_there() {
	file=$1/${2%%::*}
	[ -f "$file" ] || return
	case $2 in
	*::*) name=${2#*::} ;;
	*) return 0 ;;
	esac
	case $file in
	*.py) grep -qF "def $name(" "$file" ;;
	# A function that cmocka runs, a body, or a row of a table of tests.
	*.c) grep -qF -e "$name(void **state)" -e "BODY($name)" -e "{\"$name\"," "$file" ;;
	*) false ;;
	esac
}

# wrong_words FOLDER README: prints each name of a test that is not there
wrong_words() {
	words_of "$2" | sort -u | while IFS= read -r word; do
		is_there "$1" "$word" || echo "no such test: $word"
	done
}

# wrong_facts README: prints each fact that is not there once, or has neither a test nor a reason
wrong_facts() {
	for last in $facts; do
		letter=${last%"${last#?}"}
		n=1
		while [ "$n" -le "${last#?}" ]; do
			id=$letter$n
			n=$((n + 1))
			found=$(grep -cF "* **$id** " "$1")
			[ "$found" -eq 1 ] || echo "$id stands there $found times"
			awk -v id="* **$id** " '/^(\* |$|#)/ { on = 0 } index($0, id) == 1 { on = 1 } on' "$1" |
				grep -qE '::|\.sh`|As [QC][0-9]+[. ;]|[Nn]o test' || echo "$id has no test and no reason"
		done
	done
}

# The test tests itself: a page whose every line is wrong in a way of its own.
# shellcheck disable=SC2016 # the quotes of Markdown
plant() {
	printf '%s\n' '* **Q1** a' '* **Q2** `unit/x.c::a`' '* **Q2** `unit/x.c::b` `unit/y.c::a`' \
		'`unit/x.py::a`, `unit/x.py::b`' '* **Q3** As Q1.' '* **Q4** `unit/x.c::c d` `module/x.sh`' >"$1/page"
	mkdir "$1/unit"
	printf '%s\n' 'a(void **state)' 'b(void)' '    {"c d", 1}' >"$1/unit/x.c"
	printf '%s\n' 'def a(x):' '# b(' >"$1/unit/x.py"
	facts=Q5 wrong_facts "$1/page"
	wrong_words "$1" "$1/page"
}

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
expected='Q1 has no test and no reason
Q2 stands there 2 times
Q5 stands there 0 times
Q5 has no test and no reason
no such test: module/x.sh
no such test: unit/x.c::b
no such test: unit/x.py::b
no such test: unit/y.c::a'
if [ "$(plant "$work")" != "$expected" ]; then
	echo "this script does not see what is wrong:"
	rm -rf "$work/unit"
	plant "$work"
	exit 99
fi

tests=${srcdir:-$(dirname "$0")/..}/tests
wrong=$(wrong_facts "$tests/README.md"; wrong_words "$tests" "$tests/README.md")
if [ -n "$wrong" ]; then
	printf '%s\n' "$wrong"
	exit 1
fi
echo "$(words_of "$tests/README.md" | sort -u | wc -l) tests of the map are there"
