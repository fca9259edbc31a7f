# SPDX-License-Identifier: MIT
# bash completion for gatepass(1) and gatepassctl(1)

_gatepass()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
	COMPREPLY=()

	# The command, from its first word on, is completed as if it stood alone.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-p | -n)
			((i++))
			# Bash splits words at colons; the pieces of a URL are one value.
			while ((i + 1 < COMP_CWORD)) && [[ ${COMP_WORDS[i + 1]} == [:=]* ]]; do
				((i += 2))
			done
			;;
		--) ((i++)) && break ;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		elif ((i == COMP_CWORD)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		return
	fi
	[[ $prev == -[pn] ]] || ((i > COMP_CWORD)) && return
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-p -n -v -h --env --help --version' -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
}

_gatepassctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=''
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		words='login logout status agent check --help --version'
	else
		case ${COMP_WORDS[COMP_CWORD - 1]} in
		--proxy) return ;;
		--user)
			mapfile -t COMPREPLY < <(compgen -u -- "$cur")
			return
			;;
		esac
		case ${COMP_WORDS[1]} in
		login) words='--proxy --user --session --password-stdin --help' ;;
		logout) words='--proxy --user --help' ;;
		status) words='--json --help' ;;
		agent) ((COMP_CWORD == 2)) && words='start stop --help' ;;
		check)
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o default -F _gatepass gatepass
complete -F _gatepassctl gatepassctl
