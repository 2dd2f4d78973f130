#!/bin/sh
# Every option of the table stands in pam_otp.conf(5), in its section, with what it must be and its
# default; and the page describes no option that does not exist.
set -eu
page=${srcdir:-.}/man/pam_otp.conf.5
print=${PRINT_OPTIONS:-./tests/unit/print_options}

# The page as "section|key|text of the item", one item a line.
items() {
	awk '
	function flush() { if (key != "") print section "|" key "|" text; key = ""; text = "" }
	/^\.Ss Section / { flush(); section = $3; next }
	/^\.S[sh] / { flush(); section = ""; next }
	/^\.It Cm / { flush(); if (section != "") key = $3; next }
	/^\.El/ { flush(); next }
	key != "" { text = text (text == "" ? "" : " ") $0 }
	' "$page"
}

bad=0
fail() {
	echo "$page: $1" >&2
	bad=1
}

have=$(items)
table=$("$print")
count=0
while IFS='|' read -r section key expects default; do
	count=$((count + 1))
	first=$(printf '%s' "$expects" | cut -c1 | tr '[:lower:]' '[:upper:]')
	rest=$(printf '%s' "$expects" | cut -c2-)
	want="$first$rest. Default: $default. "
	[ "$default" != required ] || want="$first$rest. Required. "
	text=$(printf '%s\n' "$have" | grep "^$section|$key|" | cut -d'|' -f3-) || text=
	case "$text " in
	"$want"*) ;;
	' ') fail "[$section] $key is not described" ;;
	*) fail "[$section] $key: expected \"$want...\", found \"$text\"" ;;
	esac
done <<EOF
$table
EOF
[ "$count" -ge 30 ] || fail "only $count options were printed"

while IFS='|' read -r section key text; do
	printf '%s\n' "$table" | grep -q "^$section|$key|" || fail "there is no [$section] $key"
done <<EOF
$have
EOF
[ "$bad" = 0 ] && echo "$count options are described"
exit "$bad"
