#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with libgatepass.so preloaded. See gatepass(1).
set -u

fail() {
	gp_status=$1
	shift
	printf 'gatepass: %s\n' "$*" >&2
	exit "$gp_status"
}

usage() {
	fail 2 "$*; see 'gatepass --help'"
}

help() {
	cat <<-'END'
		Usage: gatepass [-p PROXY-URL] [-n NO-PROXY] [-v] [--] COMMAND [ARG...]
		       gatepass [-p PROXY-URL] [-n NO-PROXY] [-v] --env

		Runs COMMAND so that its connections go through the HTTP proxy, which gets the
		password that gatepassctl(1) stored.

		  -p PROXY-URL  this proxy, not the configured one: http://proxy.example:3128
		  -n NO-PROXY   reach these directly: names, addresses and networks, with commas
		  -v            tell on stderr what happens to connections
		  --env         print this for a shell profile: eval "$(gatepass --env)"
		  --version     print the version
	END
}

# The library and the agent of the build tree lie beside this script, absolutely: a relative
# path in LD_PRELOAD would load from whatever directory the program happens to be in.
locate() {
	gp_here=
	case $0 in
	*/*) gp_here=$(readlink -f -- "$0") gp_here=${gp_here%/*} ;;
	esac
	gp_library=@LIBDIR@/libgatepass.so
	gp_agent=@LIBEXECDIR@/gatepass-agent
	[ -n "$gp_here" ] && [ -e "$gp_here/libgatepass.so" ] && gp_library=$gp_here/libgatepass.so
	[ -n "$gp_here" ] && [ -x "$gp_here/gatepass-agent" ] && gp_agent=$gp_here/gatepass-agent
	[ -r "$gp_library" ] || fail 1 "$gp_library is missing: install gatepass again"
	case $gp_library in
	*[:\ ]*) fail 1 "$gp_library: the loader takes no path with a space or colon" ;;
	esac
}

check_proxy() {
	[ -x "$gp_agent" ] || fail 1 "$gp_agent is missing: install gatepass again"
	# It reads the variable: anybody can read a command line.
	"$gp_agent" --check-proxy || exit 1
}

quote() {
	printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"
}

print_env() {
	case $gp_given in *p*) echo "export GATEPASS_PROXY=$(quote "$GATEPASS_PROXY")" ;; esac
	case $gp_given in *n*) echo "export GATEPASS_NO_PROXY=$(quote "$GATEPASS_NO_PROXY")" ;; esac
	case $gp_given in *v*) echo "export GATEPASS_LOG=$(quote "$GATEPASS_LOG")" ;; esac
	gp_quoted=$(quote "$gp_library")
	# shellcheck disable=SC2016 # for the shell that reads it
	printf 'case ":${LD_PRELOAD-}:" in *[:\\ ]%s[:\\ ]*) ;; *) ' "$gp_quoted"
	# shellcheck disable=SC2016
	printf 'export LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}"%s ;; esac\n' "$gp_quoted"
}

# A file of that name in PATH that is perhaps not executable: not every shell finds those.
in_path() {
	set -f
	IFS=:
	for gp_directory in $PATH; do
		[ -f "${gp_directory:-.}/$1" ] && printf '%s\n' "${gp_directory:-.}/$1" && break
	done
}

# The shell's own messages would speak of this script.
check_command() {
	case $1 in
	*/*) gp_path=$1 ;;
	*) gp_path=$(command -v -- "$1" || in_path "$1") ;;
	esac
	case $gp_path in
	*/*) [ -e "$gp_path" ] || fail 127 "$1: command not found" ;;
	?*) return ;; # a shell builtin: exec finds the program of that name, if there is one
	*) fail 127 "$1: command not found" ;;
	esac
	[ ! -d "$gp_path" ] || fail 126 "$1: is a directory"
	[ -x "$gp_path" ] || fail 126 "$1: permission denied"
}

# The prefix keeps ours apart from variables that COMMAND shall inherit.
gp_given='' gp_env=''
while getopts ':p:n:vh-:' gp_option; do
	case $gp_option${OPTARG-} in
	p) usage "-p: the proxy's URL is empty" ;;
	p*) export GATEPASS_PROXY="$OPTARG" ;;
	n*) export GATEPASS_NO_PROXY="$OPTARG" ;;
	v*) export GATEPASS_LOG="${GATEPASS_LOG-info}" ;;
	h* | -help) help && exit ;;
	-version) echo "gatepass @VERSION@" && exit ;;
	-env) gp_env=1 ;;
	:*) usage "-$OPTARG: its value is missing" ;;
	-*) usage "unknown option --$OPTARG" ;;
	*) usage "unknown option -$OPTARG" ;;
	esac
	gp_given=$gp_given$gp_option
done
shift $((OPTIND - 1))

if [ -n "$gp_env" ]; then
	[ $# -eq 0 ] || usage "--env takes no command"
else
	[ $# -gt 0 ] || usage "a command is missing"
fi
locate
case $gp_given in *p*) check_proxy ;; esac
if [ -n "$gp_env" ]; then
	print_env
	exit
fi
check_command "$1"

case ":${LD_PRELOAD-}:" in
*[:\ ]"$gp_library"[:\ ]*) ;;
*) export LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$gp_library" ;;
esac
exec "$@"
