/* SPDX-License-Identifier: MIT */
/*
 * Authentication schemes (RFC 9110 11): one file each, in a table from strong to weak.
 */
#ifndef GATEPASS_SCHEME_H
#define GATEPASS_SCHEME_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <gatepass/challenge.h>
#include <gatepass/text.h>

struct credential;
struct endpoint;

/* What is to be authorized, or was refused. */
struct scheme_request {
	const struct endpoint *proxy;
	const char *ccache; /* KRB5CCNAME of the process that asks; NULL: unset */
	const GPtrArray
		*challenges;      /* of char *, what the proxy asks for; NULL: nothing */
	bool challenged;          /* they are the reply to this request */
	const char *method, *uri; /* NULL: not known yet */
	/* The leg of this scheme's handshake that the proxy has replied to by them; NULL:
	 * a handshake begins, or the scheme has none. */
	const char *leg;
	bool bodiless; /* it has no body; false: it may have one */
};

/* What an authorization is good for. */
enum scheme_scope {
	SCHEME_FOR_PROXY,     /* everything, until it is refused */
	SCHEME_FOR_REQUEST,   /* one request */
	SCHEME_FOR_CONNECTION /* it is a leg of a handshake, for the connection that it is
				 sent on */
};

enum scheme_result {
	SCHEME_OK,
	SCHEME_MORE,   /* as SCHEME_OK; the proxy will reply with the handshake's next
			  message */
	SCHEME_LATER,  /* nothing can be sent before the proxy's next challenge */
	SCHEME_INVALID /* the scheme cannot carry this user or password */
};

/* Why was it refused? */
enum scheme_judgement {
	SCHEME_REJECTED, /* user or password are wrong */
	SCHEME_UNSURE,   /* maybe: one client is to answer what the proxy says now */
	SCHEME_AGAIN, /* for another reason: what the proxy says now is to be answered */
	SCHEME_GOES_ON, /* it was not: the challenge is the handshake's next message */
	SCHEME_UNFIT    /* the scheme does not work here; nothing is known of user and
			   password */
};

struct scheme {
	const char *name;  /* auth-scheme */
	const char *label; /* in the configuration, in lower case */
	uint8_t number;    /* of struct verdict_id: its own, not 0 */
	/* Not where another scheme that takes passwords can be used: it tells the proxy
	 * more, or the user did not mean it. */
	bool last_resort;
	/* Kerberos makes it: there are no authorize() and matches(). */
	bool by_ticket;
	enum scheme_scope scope;
	/* Is the authorization, or the message of a challenge, which is one of this name,
	 * one of this scheme? NULL: it has its name for itself. */
	bool (*owns)(struct gp_text token68);
	/* Can the challenge, which is one of this scheme, be answered for the request? If
	 * that is not known yet: for any? */
	bool (*can_answer)(const struct gp_challenge *challenge,
			   const struct scheme_request *request);
	/* Writes the value of Proxy-Authorization. `out` is memory for secrets. Unless it
	 * is SCHEME_OK *text says why, without the secret. */
	enum scheme_result (*authorize)(const struct credential *credential,
					const struct scheme_request *request,
					struct gp_buf *out, const char **text);
	/* Was the value, of this scheme, made of the credential? NULL: the value does not
	 * tell. */
	bool (*matches)(const struct credential *credential,
			const struct scheme_request *request, const char *value);
	/* Of a value that was refused with the request's challenges. */
	enum scheme_judgement (*judge)(const struct scheme_request *request,
				       const char *value);
	/* A request with the value, which was made of the credential, was accepted, with
	 * this Proxy-Authentication-Info, if `info` is not NULL. NULL: the scheme need
	 * not know. */
	void (*inform)(const struct credential *credential,
		       const struct scheme_request *request, const char *value,
		       const char *info);
};

extern const struct scheme scheme_negotiate, scheme_ntlm, scheme_digest, scheme_basic;
/* "Negotiate" with messages of NTLM. */
extern const struct scheme scheme_negotiate_ntlm;

/* Is a token68 one of NTLM's messages? */
bool scheme_is_ntlm(struct gp_text token68);

#define SCHEMES_MAX 8

/* The schemes that may be used, in this order, NULL behind the last. */
struct scheme_policy {
	const struct scheme *order[SCHEMES_MAX + 1];
	bool ticket_by_password; /* one may be got with the stored password */
};

void scheme_policy_init(struct scheme_policy *policy); /* all, from strong to weak */
/* Of labels, separated by commas or blanks. False if one is unknown, or there is none. */
bool scheme_policy_parse(const char *text, struct scheme_policy *out);

/* For people: "ntlm, digest, basic". */
const char *scheme_labels(void);

/* Those of the policy that one of the Proxy-Authenticate values (char *) offers and that
 * we can answer for the request, NULL behind the last. `unfit` has bit N for each scheme
 * of number N that is out of the question. NULL is no values. */
void scheme_candidates(const struct scheme_policy *policy, const GPtrArray *challenges,
		       const struct scheme_request *request, unsigned unfit,
		       const struct scheme *out[static SCHEMES_MAX + 1]);

/* That of the number, or NULL. */
const struct scheme *scheme_numbered(uint8_t number);

/* That of a Proxy-Authorization value, or NULL. */
const struct scheme *scheme_of(const char *value);

/* Calls `visit` with each challenge of the Proxy-Authenticate values (char *), in the
 * proxy's order. NULL is no values. */
void scheme_each(const GPtrArray *challenges,
		 void (*visit)(void *data, const struct gp_challenge *challenge),
		 void *data);

/* Is one of them of the scheme, whether it can be answered or not? */
bool scheme_is_offered(const struct scheme *scheme, const GPtrArray *challenges);

/* Does the proxy offer only others? Not if it says nothing. */
bool scheme_is_dropped(const struct scheme *scheme, const GPtrArray *challenges);

/* Is one of them a message of a handshake? Then they are not all that the proxy offers.
 */
bool scheme_is_shaking_hands(const GPtrArray *challenges);

#endif
