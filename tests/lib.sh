# shellcheck shell=bash disable=SC2034,SC2154
# Shell functions that ./demo, ./check and the sandbox share: packages, copies, builds.

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

# Prints those of the named packages that are not installed.
deps_missing() {
	local package
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

# A freshly installed openssh-server would start a daemon; 101 says: start nothing.
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

# Installs what is missing of the named packages, saying what. 1 where that cannot be done.
deps_install() {
	local missing
	missing=$(deps_missing "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list of names
	set -- $missing
	if [ "$(id -u)" != 0 ]; then
		echo "Missing packages, and only root can install them:"
		echo "  apt-get install --no-install-recommends $*"
		return 1
	fi
	if ! command -v apt-get >/dev/null; then
		echo "Missing packages, and there is no apt-get here: $*"
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
	[ "$r" = 0 ] || echo "apt-get could not install them."
	return "$r"
}

# --- the rest ---

# Prints the comment that a script opens with: its --help.
opening_comment() {
	awk 'NR > 1 && (!/^#/ || /shellcheck/) { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"
}

# source_copy TREE TO: a copy without what an earlier build left in the tree.
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

# The options of ./configure that put every file where Debian has it.
configure_debian() {
	echo "--prefix=/usr --sysconfdir=/etc --localstatedir=/var" \
		"--libdir=/usr/lib/$(gcc -print-multiarch)"
}

# Runs a command whose output is of interest only when it fails. $log is where it goes.
quietly() {
	"$@" >>"$log" 2>&1 && return
	echo "failed: $*" >&2
	tail -n 60 "$log" >&2
	return 1
}
