/* SPDX-License-Identifier: MIT */
/*
 * NTLM, under its own name and under that of Negotiate, where Windows and Samba take its
 * messages bare as well as in those of SPNEGO.
 *
 * Theory of operation. A handshake is a message of ours that tells nothing, the proxy's
 * with a nonce, and one of ours that proves the password, all on one connection. Nothing
 * is kept of it: the first message comes back as the leg that was challenged.
 */
#include "scheme.h"

#include <string.h>
#include <sys/random.h>

#include "base64.h"
#include "credential.h"
#include "endpoint.h"
#include "ntlm.h"
#include "secret.h"

/* What Chromium asks for, and so what proxies are used to. */
#define FLAGS                                                                            \
	(NTLM_UNICODE | NTLM_OEM | NTLM_ASK_TARGET | NTLM_NTLM | NTLM_ALWAYS_SIGN |      \
	 NTLM_EXTENDED)

/* The name of this machine is nobody's business, but none at all makes some servers
 * doubt: it goes out in clear, and a domain's controller logs it. */
#define WORKSTATION "WORKSTATION"

#define SERVICE "HTTP/"

/* "NTLMSSP" and its NUL, in base64. */
#define NTLMSSP "TlRMTVNTUAA"

bool scheme_is_ntlm(struct gp_text token68)
{
	return token68.len >= strlen(NTLMSSP) &&
	       !memcmp(token68.p, NTLMSSP, strlen(NTLMSSP));
}

static void write_value(const struct scheme *scheme, const struct gp_buf *message,
			struct gp_buf *out)
{
	const struct gp_text text = {message->p, message->len};

	gp_buf_add_string(out, scheme->name);
	gp_buf_add_string(out, " ");
	base64_add(out, &text, 1);
}

/* Free it with g_free(). */
struct message {
	char *storage;
	struct gp_text text;
};

/* That of a challenge, or of an authorization, which has the same form; empty: it has
 * none. */
static struct message read_message(const struct gp_challenge *challenge)
{
	char *storage;
	gsize len = 0;

	if (challenge->token68.len < 2) /* GLib wants so many */
		return (struct message){0};
	storage = g_strndup(challenge->token68.p, challenge->token68.len);
	g_base64_decode_inplace(storage, &len);
	return (struct message){storage, {storage, len}};
}

static struct message read_value(const char *value)
{
	struct gp_text rest = gp_text(value);
	struct gp_challenge challenge = {0};

	(void)gp_challenge_next(&rest, &challenge);
	return read_message(&challenge);
}

/* A bare one, or NTLM's second message. SPNEGO is none. */
static bool can_answer(const struct gp_challenge *challenge,
		       const struct scheme_request *request)
{
	struct message message = read_message(challenge);
	struct ntlm_challenge read;
	bool ok = !challenge->token68.len || ntlm_read_challenge(message.text, &read);

	(void)request;
	g_free(message.storage);
	return ok && ntlm_is_allowed();
}

struct search {
	const char *name;
	struct message message;
};

static void compare(void *data, const struct gp_challenge *challenge)
{
	struct search *search = data;
	struct ntlm_challenge read;

	if (search->message.storage || !gp_text_is(challenge->scheme, search->name))
		return;
	search->message = read_message(challenge);
	if (ntlm_read_challenge(search->message.text, &read))
		return;
	g_free(search->message.storage);
	search->message = (struct message){0};
}

/* The proxy's message, or an empty one. */
static struct message find_message(const struct scheme *scheme,
				   const GPtrArray *challenges)
{
	struct search search = {.name = scheme->name};

	scheme_each(challenges, compare, &search);
	return search.message;
}

static enum scheme_result begin(const struct scheme *scheme, struct gp_buf *out)
{
	char storage[32];
	struct gp_buf message;

	gp_buf_init(&message, storage, sizeof(storage));
	ntlm_write_negotiate(FLAGS, &message);
	write_value(scheme, &message, out);
	return SCHEME_MORE;
}

static uint32_t agree(uint32_t offered)
{
	return FLAGS & offered & (offered & NTLM_UNICODE ? ~NTLM_OEM : ~0u);
}

static void fill_use(const struct credential *credential,
		     const struct scheme_request *request, struct ntlm_use *use,
		     char service[static sizeof(SERVICE) + GP_HOST_MAX])
{
	const struct secret *password = credential->password;

	g_snprintf(service, sizeof(SERVICE) + GP_HOST_MAX, SERVICE "%s",
		   request->proxy->host);
	if (getrandom(use->nonce, sizeof(use->nonce), 0) != sizeof(use->nonce))
		g_error("getrandom: no random numbers");
	ntlm_time(g_get_real_time(), use->time);
	ntlm_split(gp_text(credential->account), &use->domain, &use->user);
	use->password = (struct gp_text){password->bytes, password->len};
	use->workstation = gp_text(WORKSTATION);
	use->service = gp_text(service);
}

static enum scheme_result prove(const struct scheme *scheme, const struct ntlm_use *use,
				const struct ntlm_challenge *challenge,
				struct gp_buf *out, const char **text)
{
	char *storage = secret_alloc(NTLM_MESSAGE_MAX);
	struct gp_buf message;
	bool ok;

	gp_buf_init(&message, storage, NTLM_MESSAGE_MAX);
	ok = ntlm_write_authenticate(challenge, use, &message);
	if (ok)
		write_value(scheme, &message, out);
	secret_dealloc(storage, NTLM_MESSAGE_MAX);
	*text = "libcrypto cannot make the response";
	return ok ? SCHEME_OK : SCHEME_INVALID;
}

/* `use` holds the handshake's messages. */
static enum scheme_result
answer(const struct scheme *scheme, const struct credential *credential,
       const struct scheme_request *request, const struct ntlm_challenge *challenge,
       struct ntlm_use *use, struct gp_buf *out, const char **text)
{
	char service[sizeof(SERVICE) + GP_HOST_MAX];

	use->flags = agree(challenge->flags);
	if (!(use->flags & NTLM_UNICODE) && !g_str_is_ascii(credential->account)) {
		*text = "the user name has letters that the proxy's NTLM does not know: "
			"log in with another one";
		return SCHEME_INVALID;
	}
	fill_use(credential, request, use, service);
	return prove(scheme, use, challenge, out, text);
}

static bool is_valid(const struct credential *credential, const char **text)
{
	const struct secret *password = credential->password;

	if (strlen(credential->account) > GP_USER_MAX ||
	    !g_utf8_validate(credential->account, -1, NULL)) {
		*text = "the user name is too long or not UTF-8, which NTLM cannot "
			"carry: log in with another one";
		return false;
	}
	*text = "the password is not UTF-8, which NTLM cannot carry: change it";
	return g_utf8_validate_len(password->bytes, password->len, NULL);
}

static enum scheme_result authorize(const struct scheme *scheme,
				    const struct credential *credential,
				    const struct scheme_request *request,
				    struct gp_buf *out, const char **text)
{
	struct message negotiate, message;
	struct ntlm_challenge challenge;
	enum scheme_result result;

	if (!is_valid(credential, text))
		return SCHEME_INVALID;
	if (!request->leg)
		return begin(scheme, out);
	negotiate = read_value(request->leg);
	message = find_message(scheme, request->challenges);
	if (ntlm_type(negotiate.text) == 1 &&
	    ntlm_read_challenge(message.text, &challenge)) {
		struct ntlm_use use = {.negotiate = negotiate.text,
				       .challenge = message.text};

		result = answer(scheme, credential, request, &challenge, &use, out, text);
	} else {
		result = begin(scheme, out);
	}
	g_free(negotiate.storage);
	g_free(message.storage);
	return result;
}

/* Of a proof. */
static enum scheme_judgement judge_last(const struct scheme *scheme,
					const GPtrArray *challenges)
{
	return scheme_is_dropped(scheme, challenges) ? SCHEME_UNFIT : SCHEME_REJECTED;
}

static enum scheme_judgement judge(const struct scheme *scheme,
				   const struct scheme_request *request,
				   const char *value)
{
	struct message sent = read_value(value);
	struct message challenge = find_message(scheme, request->challenges);
	enum scheme_judgement judgement = SCHEME_UNFIT;

	if (ntlm_type(sent.text) == 3)
		judgement = judge_last(scheme, request->challenges);
	else if (ntlm_type(sent.text) == 1 && challenge.storage)
		judgement = SCHEME_GOES_ON;
	g_free(sent.storage);
	g_free(challenge.storage);
	return judgement;
}

static enum scheme_result authorize_ntlm(const struct credential *credential,
					 const struct scheme_request *request,
					 struct gp_buf *out, const char **text)
{
	return authorize(&scheme_ntlm, credential, request, out, text);
}

static enum scheme_judgement judge_ntlm(const struct scheme_request *request,
					const char *value)
{
	return judge(&scheme_ntlm, request, value);
}

const struct scheme scheme_ntlm = {
	.name = "NTLM",
	.label = "ntlm",
	.number = 3,
	.scope = SCHEME_FOR_CONNECTION,
	.can_answer = can_answer,
	.authorize = authorize_ntlm,
	.judge = judge_ntlm,
};

static enum scheme_result authorize_negotiate(const struct credential *credential,
					      const struct scheme_request *request,
					      struct gp_buf *out, const char **text)
{
	return authorize(&scheme_negotiate_ntlm, credential, request, out, text);
}

static enum scheme_judgement judge_negotiate(const struct scheme_request *request,
					     const char *value)
{
	return judge(&scheme_negotiate_ntlm, request, value);
}

const struct scheme scheme_negotiate_ntlm = {
	.name = "Negotiate",
	.label = "negotiate-ntlm",
	.number = 5,
	.last_resort = true,
	.owns = scheme_is_ntlm,
	.scope = SCHEME_FOR_CONNECTION,
	.can_answer = can_answer,
	.authorize = authorize_negotiate,
	.judge = judge_negotiate,
};
