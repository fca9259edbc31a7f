/* SPDX-License-Identifier: MIT */
/* Reasons to errno. */
#include <errno.h>

#include "errno_of.h"

int errno_of(enum gp_err err, int system)
{
	switch (err) {
	case GP_OK:
		return 0;
	case GP_ERR_SYSTEM:
		return system;
	case GP_ERR_PROXY_REFUSED: /* 403: not allowed, and nothing to try again */
	case GP_ERR_PROXY_AUTH:
		return EACCES;
	case GP_ERR_BAD_GATEWAY:
		return EHOSTUNREACH;
	case GP_ERR_GATEWAY_TIMEOUT:
	case GP_ERR_TIMEOUT:
		return ETIMEDOUT;
	case GP_ERR_HOST_LONG:
	case GP_ERR_HOST_SYNTAX:
	case GP_ERR_HEADER_OCTET:
		return EINVAL;
	default: /* EPROTO is nothing that programs expect of connect() */
		return ECONNREFUSED;
	}
}
