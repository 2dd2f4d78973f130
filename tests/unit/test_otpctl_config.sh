#!/bin/sh
# otpctl config check and show: exit codes, what is printed, and that no secret is.
set -eu
src=$(cd "${srcdir:-.}" && pwd)
otpctl=${OTPCTL:-./otpctl}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
conf=$dir/pam_otp.conf
bad=0

fail() {
	echo "FAILED: $1" >&2
	sed 's/^/    /' "$dir/out" "$dir/err" >&2
	bad=1
}

# run CODE ARGUMENT...: otpctl with this configuration ends with CODE.
run() {
	want=$1
	shift
	code=0
	"$otpctl" --config "$conf" "$@" >"$dir/out" 2>"$dir/err" || code=$?
	[ "$code" = "$want" ] || fail "otpctl $*: exit code $code, not $want"
}

out() {
	grep -qF -- "$1" "$dir/out" || fail "\"$1\" was not printed"
}

err() {
	grep -qF -- "$1" "$dir/err" || fail "\"$1\" is not among the errors"
}

# shown SECTION LINE FROM: config show printed this line in this section, as of there.
shown() {
	awk -v section="[$1]" -v line="$2" -v from="# $3" '
		/^\[/ { in_it = $0 == section }
		/^# .*:[0-9]+$/ || $0 == "# default" { origin = $0 }
		in_it && $0 == line && origin == from { found = 1 }
		END { exit !found }' "$dir/out" || fail "no \"$2\" in [$1], of $3"
}

# The shipped example, with the profiles of the source tree; $1 is the token.
write() {
	sed "s|^token = .*|token = $1|" "$src/etc/pam_otp.conf" >"$conf"
	printf '[paths]\nprofiles = %s\n' "$dir/providers" >>"$conf"
	chmod 644 "$conf"
}
mkdir "$dir/providers"
cp "$src/etc/providers/tingting.json" "$dir/providers"
chmod 755 "$dir/providers"
chmod 644 "$dir/providers/tingting.json"
token=$dir/token

# The line of the example that matches $1.
line() {
	grep -n -- "$1" "$conf" | head -n 1 | cut -d: -f1
}

# The example is right once the token is there.
write "file:$token"
run 0 config check --no-state --no-secrets
out "$conf: no errors"
err "warning: [provider tingting] it is told numbers without their country"
! grep -qv "without their country" "$dir/err" || fail "the example is warned of"
run 1 config check --no-state
err "$conf:$(line ^token): [provider tingting] token: "
echo geheim >"$token"
chmod 600 "$token"
run 0 config check --no-state
chmod 644 "$token"
run 1 config check --no-state
err "[provider tingting] token: "
chmod 600 "$token"

# cred: cannot be read here, and that is said.
write cred:tingting
run 0 config check --no-state
err "$conf:$(line ^token): warning: [provider tingting] token: cred: works only where systemd starts the helper"

# A secret that stands where it must not is an error, and is not repeated.
write geheim
run 1 config check --no-state
err "$conf:$(line ^token): [provider tingting] token: a secret must not stand in the configuration"
run 0 config show
out '(hidden)'
rm "$dir/providers/tingting.json"
run 0 config show
out '(hidden)'
run 1 config check --no-state
cp "$src/etc/providers/tingting.json" "$dir/providers"
chmod 644 "$dir/providers/tingting.json"
for command in "config check --no-state" "config check --no-state --json" "config show" "config show --json"; do
	# shellcheck disable=SC2086 # two words
	"$otpctl" --config "$conf" $command >"$dir/out" 2>"$dir/err" || :
	! grep -q geheim "$dir/out" "$dir/err" || fail "otpctl $command prints the secret"
done

# show: value and origin, for everyone and for one service.
write "file:$token"
run 0 config show
shown otp "login_timeout = 100s" default
shown "service login" "login_timeout = 50s" "$conf:$(line ^login_timeout)"
shown "provider tingting" "token = file:$token" "$conf:$(line ^token)"
out "# prefixes is not set"
run 0 config show --service login
shown "service login" "login_timeout = 50s" "$conf:$(line ^login_timeout)"
[ "$(grep -c ^login_timeout "$dir/out")" = 1 ] || fail "login_timeout is shown twice"
run 0 config show --json --service login
out '"section": "service login"'
out '"value": "50s"'
out "\"line\": $(line ^login_timeout)"
out '"line": null'

# What show prints is a configuration file that says the same, also what a terminal must not obey.
printf '[channel odd]\nproviders = tingting\nmessage = \302\240a # b ; "c" = [d]\302\233 \\\n' >>"$conf"
run 0 config show
grep -v '^#' "$dir/out" >"$dir/first"
cp "$dir/out" "$dir/written"
chmod 644 "$dir/written"
"$otpctl" --config "$dir/written" config show >"$dir/out" 2>"$dir/err" || fail "what was shown cannot be read"
grep -v '^#' "$dir/out" | cmp -s "$dir/first" - || fail "what was shown says something else"
[ -s "$dir/first" ] || fail "nothing was shown"
script -qec "'$otpctl' --config '$conf' config show" /dev/null >"$dir/out"
LC_ALL=C grep -q "$(printf 'message = \302\240a # b ; "c" = .d.? ')" "$dir/out" || fail "a terminal gets a control character"
write "file:$token"

# Errors of every part of the check, and warnings that are none.
printf '[otp]\ntrys = 1\n' >"$conf"
run 1 config check --no-state
err "$conf:2: [otp] trys: there is no such key; did you mean tries?"
err "nobody can sign in until they are corrected"
run 1 config check --no-state --json
out '"ok": false'
out "$conf:2: [otp] trys: there is no such key"
run 1 config show
err "$conf:2: [otp] trys"
write "file:$token"
printf '[exempt x]\nusers = nosuchuser.otp\nreason = r\nuntil = 2001-01-01\n' >>"$conf"
run 0 config check --no-state --json
out '"ok": true'
out 'expired at the end of 2001-01-01'
sed -i 's/^until = .*/until = 2099-01-01/' "$conf"
run 1 config check --no-state
err "$conf:$(line ^users): [exempt x] users: there is no user \"nosuchuser.otp\""
err "there are errors; sign-ins work, but the rules do not apply to the users and groups that the errors name"
sed -i 's/^users = .*/groups = nosuchgroup.otp/' "$conf"
run 1 config check --no-state
err "$conf:$(line ^groups): [exempt x] groups: there is no group \"nosuchgroup.otp\""
write "file:$token"
printf '[channel fax]\nproviders = tingting\n' >>"$conf"
run 0 config check --no-state
err "$conf:$(line ^channels): warning: [otp] channels: no sign-in uses [channel fax]"
err "warning: [channel fax] providers: the profile tingting of [provider tingting] has no channel fax; it has: sms, voice"
sed -i 's/^channels = .*/channels = sms, fax/' "$conf"
run 1 config check --no-state
err "$conf:$(grep -n '^providers = tingting' "$conf" | tail -n 1 | cut -d: -f1): [channel fax] providers: "
! grep -v "without their country" "$dir/err" | grep -q "warning:" || fail "a channel that sign-ins use is warned of"
write "file:$token"
printf '[channel other]\nproviders = x\n[provider x]\nprofile = tingtin\n' >>"$conf"
run 0 config check --no-state
err "$conf:$(line '^profile = '): warning: [provider x] profile: there is no tingtin.json in any folder of [paths] profiles; did you mean profile = tingting?"
write "file:$token"
printf '[provider spare]\nprofile = tingting\n' >>"$conf"
run 0 config check --no-state
err "$conf:$(line '^.provider spare'): warning: [provider spare]: no channel uses it"

# A text that some of a channel's providers take is right, and one that none takes is not.
both() {
	# shellcheck disable=SC2016 # the configuration's variable, not the shell's
	printf '[channel sms]\nproviders = %s\nmessage = Code ${code}\n' "$1"
	printf '[provider crego]\nbase = https://crego.example\n[provider tingting]\ntoken = file:%s\n' "$token"
	printf '[paths]\nprofiles = %s\n' "$src/etc/providers"
}
both "tingting, crego" >"$conf"
run 0 config check --no-state
err "warning: [provider crego] it ties a code to the address alone"
# A profile that drops the country wants one country.
err "warning: [provider crego] it is told numbers without their country"
err "warning: [provider tingting] it is told numbers without their country"
for one in +977 "+977, +97798"; do
	both "tingting, crego" >"$conf"
	printf '[limits]\nprefixes = %s\n' "$one" >>"$conf"
	run 0 config check --no-state
	! grep -q "without their country" "$dir/err" || fail "one country is warned of: $one"
done
for more in "+977, +91" +9; do
	both "tingting, crego" >"$conf"
	printf '[limits]\nprefixes = %s\n' "$more" >>"$conf"
	run 0 config check --no-state
	err "warning: [provider tingting] it is told numbers without their country"
done
both "crego" >"$conf"
run 1 config check --no-state
err "[channel sms] message: all its providers write their own text"
rm "$conf"
run 1 config check --no-state
err "$conf: there is no such file"

# Wrong command lines.
run 2 config
run 2 config chek
err "did you mean 'check'?"
run 2 config check extra
run 2 config show --service 'A B'
run 2 config show --no-such-option
[ "$bad" = 0 ] && echo "otpctl config: all as expected"
exit "$bad"
