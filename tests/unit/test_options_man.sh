#!/bin/sh
# Every option of the table stands in pam_otp.conf(5), in its section, with what it must be and its
# default, and the page's table of keys says the same; the page has no option that does not exist.
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

# The table of keys as "section|key|type|default|range", one row a line.
rows() {
	awk '/^\.S[sh] / { on = $0 == ".Ss Keys" } on && /^\.It [a-z]+ Ta Cm / {
		sub(/^\.It /, ""); gsub(/ Ta (Cm )?/, "|"); sub(/ Ta$/, "|"); print }' "$page"
}

# row_of SECTION KEY EXPECTS DEFAULT: that row as it must be, as a pattern: EXPECTS has no range for
# lists and texts.
row_of() {
	case $3 in
	"a number from "*) echo "$1|$2|number|$4|${3#a number from }" ;;
	"a duration from "*) echo "$1|$2|duration|$4|${3#a duration from }" ;;
	"one of "*) echo "$1|$2|word|$4|${3#one of }" ;;
	"the word "*) echo "$1|$2|word|$4|${3#the word }" ;;
	"up to "*" limits "*)
		count=${3#*, COUNT from }
		echo "$1|$2|limits|$4|COUNT ${count%%,*}"
		;;
	"a list of "*) echo "$1|$2|list|$4|* to *" ;;
	text) echo "$1|$2|text|$4|*to * bytes" ;;
	"a name") echo "$1|$2|name|$4|" ;;
	"an absolute path") echo "$1|$2|path|$4|" ;;
	"a URL "*) echo "$1|$2|URL|$4|" ;;
	"a date "*) echo "$1|$2|date|$4|" ;;
	*) echo "a type that the table of keys has no word for: $3" ;;
	esac
}

bad=0
fail() {
	echo "$page: $1" >&2
	bad=1
}

have=$(items)
keys=$(rows)
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
	# A long default stands in the description alone.
	[ "${#default}" -le 12 ] || default="see below"
	want=$(row_of "$section" "$key" "$expects" "$default")
	row=$(printf '%s\n' "$keys" | grep "^$section|$key|") || row=
	# shellcheck disable=SC2254 # a pattern
	case $row in
	$want) ;;
	*) fail "the table of keys: expected \"$want\", found \"$row\"" ;;
	esac
done <<EOF
$table
EOF
[ "$count" -ge 30 ] || fail "only $count options were printed"

while IFS='|' read -r section key text; do
	printf '%s\n' "$table" | grep -q "^$section|$key|" || fail "there is no [$section] $key"
done <<EOF
$have
$keys
EOF
[ "$bad" = 0 ] && echo "$count options are described"
exit "$bad"
