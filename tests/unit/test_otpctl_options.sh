#!/bin/sh
# The command line of otpctl: the help of every command, and what is said of a wrong one.
set -eu
page=${srcdir:-.}/man/otpctl.8
otpctl=${OTPCTL:-./otpctl}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
missing=$dir/missing.conf # so a command whose line is right ends with 1
bad=0

fail() {
	echo "FAILED: $1" >&2
	sed 's/^/    /' "$dir/out" "$dir/err" >&2
	bad=1
}

# run STATUS ARGUMENT...: otpctl ends with STATUS.
run() {
	want=$1
	shift
	line="otpctl $*"
	status=0
	"$otpctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	[ "$status" = "$want" ] || fail "$line: status $status, not $want"
}

# refused MESSAGE ARGUMENT...: the line is wrong, and this is the first line that is said of it.
refused() {
	message=$1
	shift
	run 2 "$@"
	[ "$(head -n 1 "$dir/err")" = "$message" ] || fail "$line: not \"$message\""
	[ ! -s "$dir/out" ] || fail "$line: something is on standard output"
}

# accepted ARGUMENT...: the line is right; only the configuration is missing.
accepted() {
	run 1 --config "$missing" "$@"
	grep -qF "$missing" "$dir/err" || fail "$line: it did not come to the configuration"
}

# commands_in FILE: the commands that the help of a group lists, a line each
commands_in() {
	awk '/^[^ ]/ { on = $0 == "Commands:" } on && /^  / && $1 != "help" { print $1 }' "$1"
}

# help_is_right WORD...: of this command or group, and of the commands in it
help_is_right() {
	run 0 "$@" --help
	help=$dir/help$#
	cp "$dir/out" "$help"
	cat "$help" >>"$dir/all"
	count=$((count + 1))
	[ ! -s "$dir/err" ] || fail "$line: something is on standard error"
	grep -q "^Usage: otpctl${*:+ $*} \[OPTION" "$help" || fail "$line: no usage"
	grep -A 1 '^Example:$' "$help" | grep -q "^  otpctl${*:+ $*}" || fail "$line: no example"
	grep -qF 'otpctl(8)' "$help" || fail "$line: the manual page is not named"
	# A line that is one word is a path of the installation, which may be longer.
	awk 'length > 80 && NF > 1 { exit 1 }' "$help" || fail "$line: a line is over 80 characters"
	run 0 "$@" -h
	cmp -s "$dir/out" "$help" || fail "$line: not the same as --help"
	run 0 help "$@"
	cmp -s "$dir/out" "$help" || fail "$line: not the same as --help"
	for command in $(commands_in "$help"); do
		help_is_right "$@" "$command"
	done
}

count=0
help_is_right
[ "$count" -ge 24 ] || fail "only $count commands were found"
: >"$dir/out"
: >"$dir/err"
grep '^ .* --' "$dir/all" | sed 's/.* --\([a-z-]*\).*/\1/' | sort -u >"$dir/helped"
grep -o 'Fl Fl [a-z][a-z-]*' "$page" | sed 's/.* //' | sort -u >"$dir/described"
diff "$dir/helped" "$dir/described" >"$dir/out" || fail "< help alone has these options, > $page alone"

run 0 contact add --version
grep -q '^otpctl (pam_otp) ' "$dir/out" || fail "$line: no version"
run 2
[ ! -s "$dir/out" ] || fail "$line: something is on standard output"
grep -q '^Usage: otpctl ' "$dir/err" || fail "$line: no help"

# Options.
accepted status --json
accepted status root --json
accepted --json status root
accepted remember list -- --json
accepted config show --service=sshd
accepted config show --serv sshd --json
refused "otpctl: there is no option --jsn; did you mean --json?" --jsn status
refused "otpctl contact import: there is no option --replce; did you mean --replace?" contact import - --replce
refused "otpctl contact import: there is no option --nonsense" contact import - --nonsense=1
refused "otpctl status: there is no option -x" status -x
refused "otpctl contact remove: the option --no is ambiguous; did you mean --notice or --no-notice?" \
	contact remove alice --all --no
refused "otpctl contact list: --full takes no argument" contact list --full=1
refused "otpctl status: --help takes no argument" status --help=1
refused "otpctl contact add: --label needs an argument: --label=TEXT" contact add alice --label
refused "otpctl: --config 'a.conf': expected an absolute path" --config a.conf status
refused "otpctl config show: --service 'A B': expected the name of a PAM service, like sshd" \
	config show --service 'A B'
refused "otpctl contact add: --phone '9': a phone number starts with '+' and the country's calling code" \
	contact add alice --phone 9
refused "otpctl contact add: --no-notice: --notice and --no-notice exclude each other" \
	contact add alice --notice --no-notice
refused "otpctl status: there is no option --?[31m" status "--$(printf '\033')[31m"

# Arguments.
refused "otpctl unlock: USER is missing: expected USER" unlock
refused "otpctl unlock: unexpected argument 'bob': expected USER" unlock alice bob
refused "otpctl unlock: unexpected argument '--json': expected USER" unlock -- alice --json
refused "otpctl init: unexpected argument 'now': expected none" init now
refused "otpctl attribute set: NAME is missing: expected USER PROVIDER NAME" attribute set alice kgen
refused "otpctl contact import: FILE is missing: expected FILE|-" contact import
refused "otpctl explain: --service is missing: expected USER --service NAME" explain alice
refused "otpctl contact add: expected --phone or --email" contact add alice
refused "otpctl contact remove: expected either ADDRESS or --all" contact remove alice
refused "otpctl remember revoke: expected either USER or --all" remember revoke alice --all
refused "otpctl contact verify: standard input is no terminal: give --code-stdin" contact verify alice
refused "otpctl recovery issue: --sheet and --json exclude each other" recovery issue alice --sheet --json

# Commands.
refused "otpctl: there is no 'otpctl contcat'; did you mean 'contact'?" contcat
refused "otpctl: there is no 'otpctl contact nonsense'; see: otpctl contact --help" help contact nonsense

# The environment changes nothing.
POSIXLY_CORRECT=1
export POSIXLY_CORRECT
accepted status root --json
refused "otpctl unlock: unexpected argument 'bob': expected USER" unlock alice --json bob
[ "$bad" = 0 ] && echo "otpctl: $count commands, each as expected"
exit "$bad"
