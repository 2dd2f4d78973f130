# shellcheck shell=bash disable=SC2034,SC2154
# Shell functions for ./check, ./demo and the scripts below tests/: packages, copies of the tree, builds.

# --- Debian packages ---

deps_build="gcc libc6-dev make autoconf automake libtool autoconf-archive pkg-config
	libpam0g-dev libcurl4-openssl-dev libssl-dev libjansson-dev libsqlite3-dev
	libcsv-dev"
deps_demo="pamtester python3 python3-pexpect python3-cryptography python3-aiosmtpd openssl"
deps_check="libcmocka-dev clang clang-format valgrind shellcheck mandoc git sudo login openssh-server
	openssh-client systemd python3-pytest python3-pytest-timeout python3-pytest-xdist
	sqlite3 procps curl fail2ban debhelper dpkg-dev fakeroot lintian"

deps_policy=/usr/sbin/policy-rc.d
deps_policy_ours=

# Prints which of the named packages are not installed.
deps_missing() {
	local package
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

# A new openssh-server would start a daemon. policy-rc.d with status 101 forbids that.
deps_policy_put() {
	[ -e "$deps_policy" ] && return
	deps_policy_ours=yes
	printf '#!/bin/sh\nexit 101\n' >"$deps_policy"
	chmod 755 "$deps_policy"
}

deps_policy_take() {
	[ -z "$deps_policy_ours" ] || rm -f "$deps_policy"
	deps_policy_ours=
}

# Installs which of the named packages are missing, and says which. 1 if that fails.
deps_install() {
	local missing
	missing=$(deps_missing "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list of names
	set -- $missing
	if [ "$(id -u)" != 0 ]; then
		echo "These packages are missing. Run as root:"
		echo "  apt-get install --no-install-recommends $*"
		return 1
	fi
	if ! command -v apt-get >/dev/null; then
		echo "These packages are missing, and there is no apt-get to install them: $*"
		return 1
	fi
	echo "Installing $# missing packages: $*"
	deps_policy_put
	trap deps_policy_take EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	local r=0
	{ apt-get -q update && apt-get -q -y --no-install-recommends install "$@"; } >&2 || r=1
	deps_policy_take
	trap - EXIT INT TERM HUP
	[ "$r" = 0 ] || echo "apt-get could not install these packages: $*"
	return "$r"
}

# --- the rest ---

# Prints the comment at the top of a script, which is its --help.
opening_comment() {
	awk 'NR > 1 && (!/^#/ || /shellcheck/) { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"
}

# source_copy TREE TO: copies the tree without the files that an earlier build has left in it.
source_copy() {
	local git="git -c safe.directory=* -C $1"
	mkdir -p "$2"
	if $git rev-parse >/dev/null 2>&1; then
		$git ls-files -z -co --exclude-standard
	else
		(cd "$1" && find . -name config.status -prune -o -type f -print0)
	fi | (cd "$1" && while IFS= read -r -d '' name; do
		[ ! -e "$name" ] || printf '%s\0' "$name"
	done | tar -c --null -T -) | tar -x --no-same-owner -C "$2"
}

# Prints the options of ./configure that install every file where Debian has it.
configure_debian() {
	echo "--prefix=/usr --sysconfdir=/etc --localstatedir=/var" \
		"--libdir=/usr/lib/$(gcc -print-multiarch)"
}

# Runs a command with its output in $log, and shows the end of $log only if the command fails.
quietly() {
	"$@" >>"$log" 2>&1 && return
	echo "failed: $*" >&2
	tail -n 60 "$log" >&2
	return 1
}
