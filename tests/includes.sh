#!/bin/sh
# Dependencies point one way. Reads the #include lines of the sources and fails on any other arrow,
# and on a library where it has no business.
set -u

# One row a folder, from the programs down to what all of them use: a folder may include itself and
# the rows below it. The two programs include nothing of each other, and pam_otp, which is no part
# of the helper, includes itself and common.
folders='helpers/otp-helper
helpers/otpctl
helpers/login
helpers/provider
helpers/codes
helpers/profile
helpers/store
helpers/stacks
helpers/rules
helpers/contacts
helpers/conf
helpers/template
helpers/http
helpers/base
common'

# One row a library: its headers, and the files that may name them.
libraries='security/ ^pam_otp/
curl/ ^helpers/http/
jansson\.h ^helpers/(base|profile|otpctl)/
sqlite3\.h ^helpers/(base|contacts|store)/
openssl/ ^helpers/
csv\.h ^helpers/otpctl/contact/csv_'

# includes_of TREE: a line "file <header>" or "file "header"" for each #include, "file ?" if neither
includes_of() {
	(cd "$1" && find common pam_otp helpers -name '*.[ch]' -exec grep -H '^[[:space:]]*#[[:space:]]*include' {} +) |
		sed -e 's/^\([^:]*\):[^<"]*\([<"][^>"]*[>"]\).*/\1 \2/' -e t -e 's/:.*/ ?/'
}

# wrong_arrows TREE: prints each include that is not allowed
wrong_arrows() {
	includes_of "$1" | tree=$1 folders=$folders libraries=$libraries awk '
	BEGIN {
		n = split(ENVIRON["folders"], row, "\n")
		for (i = 1; i <= n; i++)
			rank[row[i]] = i
		nlibraries = split(ENVIRON["libraries"], library, "\n")
	}

	# A subfolder belongs to its folder.
	function folder_of(file, part, n) {
		n = split(file, part, "/")
		return part[1] == "helpers" && n > 2 ? part[1] "/" part[2] : part[1]
	}

	function is_allowed(from, to) {
		if (from == "pam_otp")
			return to == from || to == "common"
		if (from == "helpers/otp-helper" && to == "helpers/otpctl")
			return 0
		return from in rank && to in rank && rank[from] <= rank[to]
	}

	function is_there(file, line, r) {
		r = (getline line < file) >= 0
		close(file)
		return r
	}

	function judge_library(file, name, i, word) {
		for (i = 1; i <= nlibraries; i++) {
			split(library[i], word, " ")
			if (name ~ ("^" word[1]) && file !~ word[2])
				print file " includes " name
		}
	}

	{ name = substr($2, 2, length($2) - 2) }
	$2 == "\"config.h\"" || $2 == "\"http_build.h\"" { next } # the build has made them
	$2 ~ /^"/ {
		if (!is_allowed(folder_of($1), folder_of(name)))
			print $1 " includes " name
		if (!is_there(ENVIRON["tree"] "/" name))
			print $1 " includes " name ", which is not there"
		next
	}
	$2 ~ /^</ { judge_library($1, name); next }
	{ print $1 " has an #include that cannot be read" }'
}

# The test tests itself, in a tree that is made for it: each wrong line must be found, no right one.
tree=$(mktemp -d) || exit 99
trap 'rm -rf "$tree"' EXIT
for folder in $folders pam_otp helpers/unknown; do
	mkdir -p "$tree/$folder/sub"
	: >"$tree/$folder/x.h"
	: >"$tree/$folder/sub/x.h"
done
: >"$tree/helpers/x.h"
planted=0

# wrong FOLDER LINE, right FOLDER LINE: plants it in a file of its own
wrong() {
	planted=$((planted + 1))
	echo "$2" >"$tree/$1/wrong$planted.c"
}

right() {
	planted=$((planted + 1))
	echo "$2" >"$tree/$1/right$planted.h"
}

above=pam_otp
for folder in $folders; do
	wrong "$folder" "#include \"$above/x.h\""
	wrong "$folder/sub" "#include \"$above/sub/x.h\""
	wrong "$folder" '#include "pam_otp/x.h"'
	right "$folder/sub" "#include \"$folder/x.h\""
	right "$folder" '#include "common/x.h"'
	[ "$folder" = common ] || wrong pam_otp "#include \"$folder/x.h\""
	above=$folder
done
right pam_otp '#include "pam_otp/x.h"'
right pam_otp '#include "common/x.h"'
right helpers/login '#include "helpers/base/x.h"'
right helpers/http '#include <curl/curl.h>'
wrong helpers/otp-helper '#include "helpers/otpctl/x.h"'
wrong helpers '#include "helpers/x.h"'
wrong helpers/login '#include "helpers/x.h"'
wrong helpers/unknown '#include "helpers/unknown/x.h"'
wrong helpers/unknown '#include "common/x.h"'
wrong common '#include "x.h"'
wrong common '#include "common/absent.h"'
wrong common '#include <jansson.h>'
wrong pam_otp '#  include "helpers/login/x.h"'
wrong pam_otp '#include <curl/curl.h>'
wrong pam_otp '#include MACRO'
wrong helpers/login '#include <security/pam_ext.h>'
wrong helpers/provider '#include <curl/curl.h>'
expected=$(cd "$tree" && find . -name 'wrong*' | sed 's|^./||' | sort)
found=$(wrong_arrows "$tree" | cut -d' ' -f1 | sort -u)
if [ "$found" != "$expected" ]; then
	echo "of the lines that were planted, these were judged wrongly:"
	printf '%s\n' "$found" "$expected" | sort | uniq -u | sed "s|.*|$tree/&|" | xargs grep -H .
	exit 99
fi

top=${srcdir:-$(dirname "$0")/..}
found=$(includes_of "$top")
for folder in $folders pam_otp; do
	[ ! -d "$top/$folder" ] || printf '%s\n' "$found" | grep -q "^$folder/" || {
		echo "no #include was found in $folder"
		exit 99
	}
done
wrong=$(wrong_arrows "$top")
if [ -n "$wrong" ]; then
	printf '%s\n' "$wrong"
	exit 1
fi
echo "every include points the right way"
