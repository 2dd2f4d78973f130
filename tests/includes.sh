#!/bin/sh
# Dependencies point one way: pam_otp -> common, helpers -> common. Reads the #include lines of the
# sources and fails on any other arrow, and on a library where it has no business.
set -u

# One row an allowed arrow: the folder, and what its sources may include with quotes.
arrows='common common
pam_otp pam_otp
pam_otp common
helpers helpers
helpers common'

# One row a library: its headers, and the files that may name them.
libraries='security/ ^pam_otp/
curl/ ^helpers/http/
jansson\.h ^helpers/
sqlite3\.h ^helpers/
openssl/ ^helpers/
csv\.h ^helpers/otpctl/csv_'

# includes_of TREE: a line "file <header>" or "file "header"" for each #include
includes_of() {
	(cd "$1" && find common pam_otp helpers -name '*.[ch]' -exec grep -H '^[[:space:]]*#[[:space:]]*include' {} +) |
		sed 's/^\([^:]*\):[^<"]*\([<"][^>"]*[>"]\).*/\1 \2/'
}

# wrong_arrows TREE: prints each include that is not allowed
wrong_arrows() {
	includes_of "$1" | while read -r file header; do
		from=${file%%/*}
		name=${header#?}
		name=${name%?}
		case $header in
		\"config.h\" | \"http_build.h\") ;; # the build's own
		\"*)
			printf '%s\n' "$arrows" | grep -qx "$from ${name%%/*}" ||
				echo "$file includes $name"
			[ -f "$1/$name" ] || echo "$file includes $name, which is not there"
			;;
		\<*)
			printf '%s\n' "$libraries" | while read -r library where; do
				printf '%s\n' "$name" | grep -q "^$library" || continue
				printf '%s\n' "$file" | grep -q "$where" ||
					echo "$file includes $name"
			done
			;;
		*)
			echo "$file has an #include that cannot be read: $header"
			;;
		esac
	done
}

# The test tests itself: each of these lines must be found in a tree made for it.
plant() {
	tree=$(mktemp -d) || exit 99
	mkdir "$tree/common" "$tree/pam_otp" "$tree/helpers"
	: >"$tree/common/x.h"
	: >"$tree/pam_otp/x.h"
	: >"$tree/helpers/x.h"
	echo "$2" >"$tree/$1"
	wrong_arrows "$tree"
	rm -rf "$tree"
}

must_find() {
	[ -n "$(plant "$1" "$2")" ] && return
	echo "not found: $2 in $1"
	exit 99
}

must_find common/y.c '#include "pam_otp/x.h"'
must_find common/y.h '#include "helpers/x.h"'
must_find common/y.c '#include <jansson.h>'
must_find common/y.c '#include "x.h"'
must_find common/y.c '#include "common/absent.h"'
must_find pam_otp/y.c '#  include "helpers/x.h"'
must_find pam_otp/y.c '#include <curl/curl.h>'
must_find pam_otp/y.c '#include MACRO'
must_find helpers/y.c '#include "pam_otp/x.h"'
must_find helpers/y.c '#include <security/pam_ext.h>'
must_find helpers/y.c '#include <curl/curl.h>'
if [ -n "$(plant helpers/y.c '#include "common/x.h"')" ]; then
	echo "an allowed arrow is called wrong"
	exit 99
fi

top=${srcdir:-$(dirname "$0")/..}
found=$(includes_of "$top")
for folder in common pam_otp helpers; do
	printf '%s\n' "$found" | grep -q "^$folder/" || {
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
