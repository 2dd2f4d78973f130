#!/bin/sh
# The module loads only libc and libpam into a host. It exports three functions, has no writable data,
# and calls only the functions of the list below.
set -u
module=pam_otp/.libs/pam_otp.so
failed=0

fail() {
	echo "$1"
	failed=1
}

if ! [ -r "$module" ]; then
	echo "$module is missing: this test runs in the build folder, after make"
	exit 99
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# A build with a sanitizer also links its runtime. Everything else is checked as usual.
sanitized='^$'
if nm -uD "$module" | grep -q __asan_; then
	sanitized='^(lib(asan|ubsan|clang_rt\.asan[^ ]*|m|dl|rt|pthread|gcc_s|resolv)\.so[.0-9]*|_*(asan|ubsan|sanitizer)_.*)$'
fi

readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort >"$work/needed"
grep -Ev "$sanitized" "$work/needed" | grep -Ev '^(libc\.so\.6|libpam\.so\.0|libc\.so|libc\.musl-.*)$' >"$work/extra"
if [ -s "$work/extra" ]; then
	fail "linked against more than libc and libpam: $(tr '\n' ' ' <"$work/extra")"
fi
grep -q '^libpam\.so' "$work/needed" || fail "not linked against libpam: every name must resolve"

nm -D --defined-only "$module" | awk '{ print $NF }' | grep -Ev "$sanitized" | sort >"$work/exported"
printf '%s\n' pam_sm_acct_mgmt pam_sm_authenticate pam_sm_setcred >"$work/expected"
cmp -s "$work/expected" "$work/exported" ||
	fail "exports are not the three of the design: $(tr '\n' ' ' <"$work/exported")"

# There are no threads, no stdio streams, no exit and no openlog. Nothing here sets a signal handler in
# the host, writes its environment or asks a name service. Only the supervisor calls sigaction, setsid,
# dup2 and the like.
sort >"$work/allowed" <<'EOF'
_ITM_deregisterTMCloneTable
_ITM_registerTMCloneTable
__cxa_finalize
__errno_location
__explicit_bzero_chk
__fdelt_chk
__fortify_fail
__gmon_start__
__memcpy_chk
__poll_chk
__read_chk
__snprintf_chk
__stack_chk_fail
__strcpy_chk
__vsnprintf_chk
_exit
atoi
bcmp
calloc
clock_gettime
close
close_range
connect
dup
dup2
execve
explicit_bzero
fcntl
fcntl64
free
fstat
fstat64
getenv
geteuid
getpid
getppid
getsid
getsockopt
kill
lstat
lstat64
malloc
memcmp
memcpy
memset
open
open64
pam_get_item
pam_get_user
pam_getenv
pam_prompt
pam_syslog
poll
prctl
read
recvmsg
send
setsid
sigaction
sigemptyset
sigfillset
sigprocmask
snprintf
socket
socketpair
stpcpy
strchr
strcmp
strcpy
strcspn
strlen
strncmp
strrchr
strspn
strtol
syscall
vfork
vsnprintf
waitpid
EOF
nm -uD "$module" | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -Ev "$sanitized" | sort -u >"$work/used"
comm -23 "$work/used" "$work/allowed" >"$work/more"
if [ -s "$work/more" ]; then
	fail "calls that are not on the list: $(tr '\n' ' ' <"$work/more")"
fi

# All sign-ins of a host would share writable data. The compiler adds two objects of its own.
if [ "$sanitized" = '^$' ]; then
	nm "$module" 2>/dev/null | awk '$2 ~ /^[bBdD]$/ { print $1, $3 }' |
		grep -Ev ' (completed\.[0-9]+|__dso_handle|__TMC_END__|_DYNAMIC|_GLOBAL_OFFSET_TABLE_)$' \
			>"$work/data"
	relro=$(readelf -lW "$module" | awk '$1 == "GNU_RELRO" { print $3, $6 }')
	while read -r address name; do
		# shellcheck disable=SC2086
		set -- $relro
		[ $# -eq 2 ] && [ $((0x$address)) -ge $(($1)) ] &&
			[ $((0x$address)) -lt $(($1 + $2)) ] && continue
		fail "writable data: $name"
	done <"$work/data"
	readelf -lW "$module" | grep -q GNU_RELRO || fail "no RELRO"
	readelf -d "$module" | grep -Eq 'BIND_NOW|\(FLAGS_1\).*NOW' || fail "not bound at load"
	readelf -lW "$module" | awk '$1 == "GNU_STACK" { print $7 }' | grep -q E &&
		fail "an executable stack"
fi

[ "$failed" = 0 ] && echo "$module links, exports and calls only what it may"
exit "$failed"
