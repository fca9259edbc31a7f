/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes requests. Octet by octet a beginning tells the same, and a head ends at the same
 * place, as at once. Edited in every way, a head is read again as a request with the same
 * body and exactly one authorization, and is not changed by the same edit once more.
 */
#include <gatepass/limits.h>
#include <gatepass/request.h>

#include "replay.h"

#define AUTHORIZATION "Basic eDp5"
#define OUTPUT_MAX    (FUZZ_INPUT_MAX + 4096)

static void check_inside(struct gp_text text, const char *bytes, size_t len)
{
	must(text.len == 0 || (text.p >= bytes && text.len <= len &&
			       (size_t)(text.p - bytes) <= len - text.len));
}

static bool equal(struct gp_text text, const char *bytes, size_t len)
{
	return text.len == len && (len == 0 || !memcmp(text.p, bytes, len));
}

/* The answers to the prefixes: "more" up to one, and what that says from there on. */
static enum gp_scan check_beginning(const char *bytes, size_t size)
{
	enum gp_scan scan = gp_request_begins(bytes, 0);
	size_t last = size < 256 ? size : 256;

	must(scan == GP_SCAN_MORE);
	for (size_t len = 1; len <= last; len++) {
		enum gp_scan next = gp_request_begins(bytes, len);

		must(next == scan || scan == GP_SCAN_MORE);
		scan = next;
	}
	must(scan == GP_SCAN_MORE || scan == gp_request_begins(bytes, size));
	return gp_request_begins(bytes, size);
}

static size_t check_length(const char *bytes, size_t size)
{
	size_t whole = gp_request_head_length(bytes, size, 0);
	size_t last = whole ? whole : size;

	must(whole <= size);
	for (size_t len = last < 256 ? 1 : last - 255; len <= last; len++)
		must(gp_request_head_length(bytes, len, len - 1) ==
		     (len == whole ? whole : 0));
	return whole;
}

static void check_parsed(const struct gp_request *request, const char *bytes, size_t len)
{
	check_inside(request->method, bytes, len);
	check_inside(request->target, bytes, len);
	check_inside(request->fields, bytes, len);
	check_inside(request->host, bytes, len);
	must(request->minor >= 0 && request->minor <= 9);
	must(request->method.len > 0 && request->target.len > 0);
	must(!request->host.p || request->host.len > 0);
	must(request->body != GP_BODY_CLOSE);
	must(request->body == GP_BODY_LENGTH || request->length == 0);
}

static unsigned count(struct gp_text fields, const char *name, struct gp_text *value)
{
	struct gp_http_field field;
	unsigned found = 0;

	while (gp_http_field_next(&fields, &field))
		if (gp_text_is(field.name, name)) {
			*value = field.value;
			found++;
		}
	return found;
}

/* Host names what the target does (RFC 9112 3.2.2). */
static void check_host(const struct gp_request *request)
{
	struct gp_text host = {NULL, 0}, target = request->target;

	if (count(request->fields, "host", &host) == 0) {
		must(request->minor == 0);
		return;
	}
	must(request->host.p && equal(request->host, host.p, host.len));
	gp_text_cut(&target, "/");
	target = gp_text_from(target, 1);
	target = gp_text_cut(&target, "/");
	must(equal(target, host.p, host.len));
}

static void check_edited(const struct gp_request *before, const struct gp_edit *edit,
			 const struct gp_request *after)
{
	struct gp_text value = {NULL, 0};
	unsigned own = count(before->fields, "proxy-authorization", &value);
	unsigned now = count(after->fields, "proxy-authorization", &value);
	bool relative =
		before->form == GP_TARGET_ORIGIN || before->form == GP_TARGET_ASTERISK;

	if (edit->authorization)
		must(now == 1 &&
		     equal(value, edit->authorization, strlen(edit->authorization)));
	else
		must(now == (edit->probe || edit->without_own ? 0 : own));
	must(!edit->persistent || (after->persistent && after->minor > 0));
	must(!edit->without_upgrade || !after->upgrades);
	must(!edit->authority ||
	     after->form == (relative ? GP_TARGET_ABSOLUTE : before->form));
	must(count(after->fields, "content-length", &value) <= 1 ||
	     after->body == GP_BODY_NONE);
	if (edit->authority && relative)
		check_host(after);
	if (edit->probe) {
		must(after->body == GP_BODY_LENGTH && after->length == 0);
		must(!after->upgrades && !after->expects);
		return;
	}
	must(after->body == before->body && after->length == before->length);
	must(after->expects == before->expects);
	must(equal(after->method, before->method.p, before->method.len));
}

/* False if the edit cannot be made. */
static bool edited(const struct gp_request *request, const struct gp_edit *edit,
		   struct gp_buf *out, char *storage, size_t cap)
{
	gp_buf_init(out, storage, cap);
	if (gp_request_write(request, edit, out) != GP_OK) {
		must(edit->probe && out->len == 0);
		return false;
	}
	must(!out->full);
	return true;
}

static void check_edit(const struct gp_request *request, const struct gp_edit *edit)
{
	static char first[OUTPUT_MAX], second[OUTPUT_MAX];
	struct gp_request after;
	struct gp_buf once, twice;

	if (!edited(request, edit, &once, first, sizeof(first)))
		return;
	must(gp_request_head_length(once.p, once.len, 0) == once.len);
	/* Parsing unfolds; there is nothing left to unfold. */
	memcpy(second, once.p, once.len);
	must(gp_request_parse(once.p, once.len, &after) == GP_OK);
	must(!memcmp(second, once.p, once.len));
	check_edited(request, edit, &after);
	must(edited(&after, edit, &twice, second, sizeof(second)));
	must(equal((struct gp_text){twice.p, twice.len}, once.p, once.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_request request;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	char *bytes = fuzz_copy(data, size, 0);
	enum gp_scan begins = check_beginning(bytes, size);
	size_t len = check_length(bytes, size);
	enum gp_err err = gp_request_parse(bytes, size, &request);

	must(err != GP_OK || (len && begins == GP_SCAN_DONE));
	must(!memcmp(bytes + len, data + len, size - len));
	if (err != GP_OK)
		return 0;
	check_parsed(&request, bytes, len);
	for (unsigned bits = 0; bits < 64; bits++)
		check_edit(&request,
			   &(struct gp_edit){
				   .authority = bits & 1 ? "origin:8080" : NULL,
				   .authorization = bits & 2 ? AUTHORIZATION : NULL,
				   .without_upgrade = bits & 4,
				   .probe = bits & 8,
				   .persistent = bits & 16,
				   .without_own = bits & 32,
			   });
	return 0;
}
