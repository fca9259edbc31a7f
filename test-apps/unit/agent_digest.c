/* SPDX-License-Identifier: MIT */
/* Digest: the published examples, what challenges are refused, and headers read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include "credential.h"
#include "digest.h"
#include "endpoint.h"
#include "nfc.h"
#include "nonces.h"
#include "scheme.h"
#include "secret.h"

static bool read_first(const char *value, struct digest *out)
{
	struct gp_text rest = gp_text(value);
	struct gp_challenge challenge;

	return gp_challenge_next(&rest, &challenge) && digest_read(&challenge, out);
}

struct vector {
	const char *challenge;
	const char *user, *password, *method, *uri, *cnonce;
	uint32_t nc;
	const char *response;
};

#define TESTREALM                                                                        \
	"Digest realm=\"testrealm@host.com\", "                                          \
	"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""
#define MUFASA_2617 "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1
#define HTTP_AUTH                                                                        \
	"Digest realm=\"http-auth@example.org\", "                                       \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                       \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define QOP     ", qop=\"auth, auth-int\""
#define INT     ", qop=auth-int"
#define HELLO   MUFASA, "POST", "http://www.example.org/dir/index.html", CNONCE, 1
#define CNONCE  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define MUFASA  "Mufasa", "Circle of Life"
#define INDEX   MUFASA, "GET", "/dir/index.html", CNONCE, 1
#define RSPAUTH MUFASA, "", "/dir/index.html", CNONCE, 1
#define TUNNEL  MUFASA, "CONNECT", "www.example.org:443", CNONCE
#define API                                                                              \
	"Digest realm=\"api@example.org\", qop=\"auth\", charset=UTF-8, userhash=true, " \
	"nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "                       \
	"opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\""
#define DOE                                                                              \
	"J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json",                \
		"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", 1
#define SILLY(realm, nonce) "Digest realm=\"" realm "\", nonce=\"" nonce "\""
#define A20                 "AAAAAAAAAAAAAAAAAAAA"
#define A100                A20 A20 A20 A20 A20
#define A400                A100 A100 A100 A100
#define TESTUSER            "testuser", "testpass", "GET"

static const struct vector vectors[] = {
	/* RFC 2069 with its erratum; RFC 2617 3.5 */
	{TESTREALM, "Mufasa", "CircleOfLife", "GET", "/dir/index.html", NULL, 0,
	 "1949323746fe6a43ef61f9606e7febea"},
	{TESTREALM ", qop=\"auth,auth-int\"", MUFASA_2617,
	 "6629fae49393a05397450978507c4ef1"},
	{TESTREALM ", qop=auth, algorithm=MD5-sess", MUFASA_2617,
	 "8e3825c57e897f5a0dec6c2d4e5059d0"},
	/* RFC 7616 3.9.1: MD5 and SHA-256 are printed there, the others made of the same
	 */
	{HTTP_AUTH QOP ", algorithm=MD5", INDEX, "8ca523f5e9506fed4657c9700eebdbec"},
	{HTTP_AUTH, INDEX, "7b2cc3b30e75b4777ea31027084363fd"},
	{HTTP_AUTH INT, INDEX, "8804a53d3640a40a4f73cea12c5ba451"},
	{HTTP_AUTH QOP, RSPAUTH, "9b712497bc9f91499fbcca1dfc5f09a5"},
	{HTTP_AUTH QOP, TUNNEL, 1, "9813a1d1a1c5b560d5d567d6217afda7"},
	{HTTP_AUTH QOP, TUNNEL, 2, "3b689e532542535e35ac8a32dc722a78"},
	{HTTP_AUTH QOP ", algorithm=SHA-256", INDEX,
	 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	{HTTP_AUTH INT ", algorithm=SHA-256", INDEX,
	 "8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46adcdde940"},
	{HTTP_AUTH ", algorithm=SHA-256", INDEX,
	 "a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363"},
	{HTTP_AUTH QOP ", algorithm=SHA-256", RSPAUTH,
	 "86d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0"},
	{HTTP_AUTH QOP ", algorithm=SHA-256", TUNNEL, 1,
	 "6aa3bee06522ed8a9b69cf875dd5f489d88eab8cd23fd317066e7ee334e1e0f7"},
	{HTTP_AUTH QOP ", algorithm=SHA-256", TUNNEL, 2,
	 "6fd3699fe9e9a90561ede3416f66f1deabb72ac6602bc83095a18ae8b8503a50"},
	{HTTP_AUTH QOP ", algorithm=SHA-512-256", INDEX,
	 "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"},
	{HTTP_AUTH INT ", algorithm=SHA-512-256", INDEX,
	 "38244c4d345d09bb0000b355be27d2a55003ee188df9821c54df70a63aa0c1ca"},
	{HTTP_AUTH QOP ", algorithm=SHA-512-256", TUNNEL, 1,
	 "50c2e688a22d8fa2c9c2d57e221f48092e56ca9321126b3e50510153e9d3e72e"},
	{HTTP_AUTH QOP ", algorithm=MD5-sess", INDEX, "e783283f46242139c486a698fec7211d"},
	{HTTP_AUTH INT ", algorithm=MD5-sess", INDEX, "200cda1c37eb927016d1f97f2c0f04f6"},
	{HTTP_AUTH QOP ", algorithm=MD5-sess", TUNNEL, 1,
	 "9a2578800c95a8acb16eee6512e37060"},
	{HTTP_AUTH QOP ", algorithm=MD5-sess", TUNNEL, 2,
	 "470649bf70367d3b2cbebf9170a336ab"},
	{HTTP_AUTH QOP ", algorithm=SHA-256-sess", INDEX,
	 "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"},
	{HTTP_AUTH QOP ", algorithm=SHA-256-sess", TUNNEL, 1,
	 "f9ef8a9b74ed0b82e67ef1f0f9424f984a955533a3471601c4a09d6533609056"},
	{HTTP_AUTH QOP ", algorithm=SHA-512-256-sess", INDEX,
	 "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e"},
	/* RFC 7616 3.9.2 as erratum 4897 has it: SHA-512/256, not SHA-512 cut short */
	{API ", algorithm=SHA-512-256", DOE,
	 "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"},
	{API ", algorithm=SHA-256", DOE,
	 "b6d5cb9c3000ea2385250005e294d7132b260b8fd08940d2377373493cee8cc4"},
	{API, DOE, "2428277c77e50ae43afb1669a43dae19"},
	/* what browsers and curl send */
	{SILLY("Oblivion", "nonce-value"), "foo", "bar", "CONNECT", "www.example.com:443",
	 NULL, 0, "3270da8467afbe9ddf2334a48d46e9b9"},
	{SILLY("Oblivion", "nonce-value"), "foo", "bar", "CONNECT", "www.example.com:80",
	 NULL, 0, "aa1df184f68d5b6ab9d9aa4f88e41b4c"},
	{SILLY("Oblivion", "nonce-value"), "FooBar", "pass", "GET", "/", NULL, 0,
	 "f72ff54ebde2f928860f806ec04acd1b"},
	{SILLY("Baztastic", "AAAAAAAA") ", algorithm=\"md5-sess\", qop=auth", "USER",
	 "123", "GET", "/", "15c07961ed8575c4", 1, "cbc1139821ee7192069580570c541a03"},
	{SILLY("DRealm1",
	       "claGgoRXBAA=7583377687842fdb7b56ba0555d175baa0b800e3") ", qop=auth",
	 "foo", "bar", "GET", "/test/drealm1", "082c875dcb2ca740", 1,
	 "bcfaa62f1186a31ff1b474a19a17cf57"},
	{SILLY("DRealm1",
	       "Ure30oRXBAA=7eca98bbf521ac6642820b11b86bd2d9ed7edc70") ", qop=auth",
	 "foo bar", "", "GET", "/test/drealm1/", "082c875dcb2ca740", 1,
	 "93c9c6d5930af3b0eb26c745e02b04a0"},
	{SILLY("DRealm1",
	       "7thGplhaBAA=41fb92453c49799cf353c8cd0aabee02d61a98a8") ", qop=auth",
	 "", "pass", "GET", "/test/drealm1/", "6509bc74daed8263", 1,
	 "bc597110f41a62d07f8b70b6977fcb61"},
	{SILLY("DRealm1",
	       "s3MzvFhaBAA=4c520af5acd9d8d7ae26947529d18c8eae1e98f4") ", qop=auth",
	 "", "", "GET", "/test/drealm1/", "1522e61005789929", 1,
	 "22cfa2b30cb500a9591c6d55ec5590a8"},
	{SILLY("something fun to read", A400), "s1lly", "pers0n", "POST", "/path/551",
	 NULL, 0, "3325240726fbdaf1e61f3a0dd40b930c"},
	{SILLY("testrealm", "1053604145") ", algorithm=SHA-256, userhash=true", TESTUSER,
	 "/2063", NULL, 0,
	 "6c470aec384ab1d4e12d3ce1f5b08303d8cad177e52ebe50ec1a3e141adb0cdc"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "CONNECT",
	 "test.remote.haxx.se.206:8990", NULL, 0, "003e36decb4dbf6366b3ecb9b87c24ec"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "CONNECT",
	 "test.remote.haxx.se.1060:8990", NULL, 0, "e1fbed39c26f4efe284adc0e576ff638"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "CONNECT",
	 "test.remote.haxx.se.1061:8990", NULL, 0, "4e23449fa93224834299e7282a70472c"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "GET", "/path/540", NULL, 0,
	 "ca507dcf189196b6a5374d3233042261"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "GET", "/path/1588", NULL, 0,
	 "d0b2f000c7e3fca24452b5810713404a"},
	{SILLY("weirdorealm", "12345"), "silly", "person", "GET", "/path/1589", NULL, 0,
	 "9a547f8fa81cff330c68095603f3819e"},
	{SILLY("weirdorealm", "12345"), "foo", "bar", "GET", "/168", NULL, 0,
	 "fb8608e00ad9239a3dedb14bc8575976"},
	{SILLY("weirdorealm", "12345"), "foo", "bar", "GET", "/335", NULL, 0,
	 "f61609cd8f5bb205ef4e169b2c5626cb"},
	{SILLY("many secrets", "911"), "uuuser", "pppassword", "POST", "/we/want/258",
	 NULL, 0, "2501654ca391f0b5c8c12a1da77e34cd"},
	{SILLY("many secrets", "911"), "uuuser", "pppassword", "POST", "/we/want/259",
	 NULL, 0, "b479994d13e60f3aa192a67c5892ddc5"},
	{SILLY("something fun to read", A400), "s1lly", "pers0n", "POST", "/path/552",
	 NULL, 0, "be7aedc47d821b6d847c445ded782c43"},
	{SILLY("testrealm", "1"), TESTUSER, "/2076?query", NULL, 0,
	 "5758bd3bbde7f33236e6ccd278eb59af"},
	{"Digest realm=\"testrealm\", nonce=\"1\", nonce=\"2\"", TESTUSER, "/1437", NULL,
	 0, "4376eb639bf8e7343a6e7b56e1b89c4f"},
	{SILLY("testrealm", "1053604145"), "\\user\"", "password", "GET", "/1229", NULL,
	 0, "f2694d426040712584c156d3de72b8d6"},
	{SILLY("test \\\"this\\\" realm!!", "1053604145"), TESTUSER, "/1095", NULL, 0,
	 "df3246f44d2bc8de0e9f8fc4d7cf6e95"},
	{SILLY("My \\\"Cool\\\" Realm", "1053604146"), TESTUSER, "/20910003", NULL, 0,
	 "f10c1586b83b6e5927fef54748f88d36"},
	{SILLY("testrealm", "1053604145") ", algorithm=SHA-256", TESTUSER, "/2061", NULL,
	 0, "9dc55255f1a2537b838311674b621d45346b862a81631bb20e4ce356ef25062d"},
	{SILLY("testrealm", "1053604145") ", algorithm=SHA-512-256", TESTUSER, "/2062",
	 NULL, 0, "9d3256ee6526ec40dd48743bb48e51ee9baba587c78f15c3a86166242150af98"},
};

static struct digest_use use_of(const struct vector *v)
{
	return (struct digest_use){.user = v->user,
				   .password = gp_text(v->password),
				   .method = v->method,
				   .uri = v->uri,
				   .cnonce = v->cnonce,
				   .nc = v->nc};
}

static void assert_response(const struct vector *v, const char *body)
{
	struct digest_use use = use_of(v);
	char response[DIGEST_HEX_MAX + 1];
	struct digest digest;

	use.body = gp_text(body);
	assert_true(read_first(v->challenge, &digest));
	assert_true(digest_response(&digest, &use, response));
	assert_string_equal(response, v->response);
	digest_release(&digest);
}

static void test_vectors(void **state)
{
	static const struct vector with_body[] = {
		{HTTP_AUTH INT, HELLO, "a2348e1d0cc732119cc0fa8b938ad11e"},
		{HTTP_AUTH INT ", algorithm=SHA-256", HELLO,
		 "46d66d82ba8f643d609428661ab7dd285eedb8ba32eddcb5f8943c41f40905e9"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++)
		assert_response(&vectors[i], NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(with_body); i++)
		assert_response(&with_body[i], "hello=world");
}

/* What RFC 7616 3.9.2 prints, which its erratum 4897 takes back. */
static void test_misprint(void **state)
{
	const struct vector v = {API ", algorithm=SHA-512-256", DOE, NULL};
	const struct digest_use use = use_of(&v);
	char hashed[DIGEST_HEX_MAX + 1];
	struct digest digest;

	(void)state;
	assert_true(read_first(v.challenge, &digest));
	assert_true(digest_response(&digest, &use, hashed));
	assert_string_not_equal(
		hashed,
		"ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd");
	assert_true(digest_user(&digest, v.user, hashed));
	assert_string_not_equal(
		hashed,
		"488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec");
	digest_release(&digest);
}

static void test_userhash(void **state)
{
	static const struct {
		const char *challenge, *user, *wanted;
	} cases[] = {
		{API ", algorithm=SHA-512-256", "J\xc3\xa4s\xc3\xb8n Doe",
		 "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"},
		{API ", algorithm=SHA-256", "J\xc3\xa4s\xc3\xb8n Doe",
		 "5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7"},
		{API, "J\xc3\xa4s\xc3\xb8n Doe", "2e063fa2c54dea1c36808b7a6e3b14c9"},
		{SILLY("testrealm", "1") ", algorithm=SHA-256, userhash=true", "testuser",
		 "75af8a3500f771e58a52093a25e7905d6e428a511285c12ea1420c73078dfd61"},
	};
	char user[DIGEST_HEX_MAX + 1];
	struct digest digest;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_true(read_first(cases[i].challenge, &digest));
		assert_true(digest.userhash);
		assert_true(digest_user(&digest, cases[i].user, user));
		assert_string_equal(user, cases[i].wanted);
		digest_release(&digest);
	}
}

static void write_header(const struct vector *v, char *out, size_t cap)
{
	const struct digest_use use = use_of(v);
	struct digest digest;
	struct gp_buf buf;

	gp_buf_init(&buf, out, cap - 1);
	assert_true(read_first(v->challenge, &digest));
	assert_true(digest_write(&digest, &use, &buf));
	assert_false(buf.full);
	out[buf.len] = '\0';
	digest_release(&digest);
}

/* What is quoted, what is repeated, and in which spelling. */
static void test_headers(void **state)
{
	static const struct {
		struct vector vector;
		const char *wanted;
	} cases[] = {
		{{TESTREALM ", qop=auth, opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
		  MUFASA_2617, NULL},
		 "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
		 "response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, "
		 "cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""},
		{{SILLY("Baztastic", "AAAAAAAA") ", algorithm=\"md5-SESS\", qop=auth",
		  "USER", "123", "GET", "/", "15c07961ed8575c4", 1, NULL},
		 "Digest username=\"USER\", realm=\"Baztastic\", nonce=\"AAAAAAAA\", "
		 "uri=\"/\", "
		 "response=\"cbc1139821ee7192069580570c541a03\", algorithm=MD5-sess, "
		 "qop=auth, "
		 "nc=00000001, cnonce=\"15c07961ed8575c4\""},
		{{SILLY("test \\\"this\\\" realm!!", "1053604145"), TESTUSER, "/1095",
		  NULL, 0, NULL},
		 "Digest username=\"testuser\", realm=\"test \\\"this\\\" realm!!\", "
		 "nonce=\"1053604145\", uri=\"/1095\", "
		 "response=\"df3246f44d2bc8de0e9f8fc4d7cf6e95\""},
		{{SILLY("r", "n") ", opaque=\"\"", "\\user\"", "", "GET", "/", NULL, 0,
		  NULL},
		 "Digest username=\"\\\\user\\\"\", realm=\"r\", nonce=\"n\", uri=\"/\", "
		 "response=\"82039e26dd78bf48e4cfa5c56acf0e50\", opaque=\"\""},
	};
	char header[1024];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		write_header(&cases[i].vector, header, sizeof(header));
		assert_string_equal(header, cases[i].wanted);
	}
}

static void test_userhash_header(void **state)
{
	char header[1024];

	(void)state;
	write_header(&(struct vector){API ", algorithm=SHA-512-256", DOE, NULL}, header,
		     sizeof(header));
	assert_non_null(strstr(header,
			       "username=\"793263caabb707a56211940d90411ea4a575adecc"
			       "b7e360aeb624ed06ece9b0b\""));
	assert_non_null(strstr(header, ", algorithm=SHA-512-256, "));
	assert_non_null(strstr(header, ", userhash=true"));
}

static void test_nc(void **state)
{
	char header[1024];

	(void)state;
	write_header(&(struct vector){HTTP_AUTH QOP, TUNNEL, 0x1234abcd, NULL}, header,
		     sizeof(header));
	assert_non_null(strstr(header, ", nc=1234abcd, "));
}

/* Whatever octets a challenge has, a server that unescapes them reads the same. */
static void test_round_trip(void **state)
{
	struct vector v = {.user = "a\\\"b, c=\"d\"",
			   .password = "x",
			   .method = "GET",
			   .uri = "/\"?\\",
			   .cnonce = "0011223344556677",
			   .nc = 7};
	char header[1024];
	struct digest asked, told;
	struct gp_challenge challenge;
	struct gp_text rest;
	char *user, *uri, *response;

	(void)state;
	v.challenge = "Digest realm=\"\\\"q\\\" \\\\, b=\\\"c\\\" \xe5\", "
		      "nonce=\"n\\\\\\\"n,=\", "
		      "opaque=\"\\\\o\\\\\", qop=\"auth-int, auth\", algorithm=sha-256";
	write_header(&v, header, sizeof(header));
	rest = gp_text(header);
	assert_true(gp_challenge_next(&rest, &challenge));
	assert_true(read_first(v.challenge, &asked));
	assert_true(digest_read(&challenge, &told));
	assert_string_equal(asked.realm, "\"q\" \\, b=\"c\" \xe5");
	assert_string_equal(told.realm, asked.realm);
	assert_string_equal(told.nonce, asked.nonce);
	assert_string_equal(told.opaque, asked.opaque);
	assert_int_equal(told.algorithm, DIGEST_SHA_256);
	assert_int_equal(told.qop, DIGEST_QOP_AUTH);
	user = digest_param(&challenge, "username");
	uri = digest_param(&challenge, "uri");
	response = digest_param(&challenge, "response");
	assert_string_equal(user, v.user);
	assert_string_equal(uri, v.uri);
	assert_int_equal(strlen(response), 64);
	g_free(user);
	g_free(uri);
	g_free(response);
	digest_release(&asked);
	digest_release(&told);
}

static void test_challenges(void **state)
{
	static const char *const bad[] = {
		"Digest",
		"Digest realm=x",
		"Digest nonce=x, algorithm=SHA-1",
		"Digest nonce=x, algorithm=",
		"Digest nonce=x, algorithm=SHA-512",
		"Digest nonce=x, algorithm=MD5-sess",
		"Digest nonce=x, qop=\"crazy\"",
		"Digest nonce=\"x\ny\"",
		"Digest nonce=x, realm=\"x\r\"",
	};
	static const char *const good[] = {
		"Digest nonce=x",
		"Digest nonce=x, qop=\"crazy, auth\"",
		"Digest nonce=x, qop=\"\"",
		"Digest nonce=x, algorithm=\"sha-512-256-SESS\", qop=AUTH",
		"Digest nonce=\"x",
		"Digest NONCE=\"\t\"",
	};
	struct digest digest;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(read_first(bad[i], &digest));
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		assert_true(read_first(good[i], &digest));
		digest_release(&digest);
	}
	/* "auth" where there is a choice */
	assert_true(read_first("Digest nonce=x, qop=\"auth-int, auth\"", &digest));
	assert_int_equal(digest.qop, DIGEST_QOP_AUTH);
	assert_false(digest.utf8);
	digest_release(&digest);
	assert_true(read_first("Digest nonce=x, qop=AUTH-INT, charset=utf-8", &digest));
	assert_int_equal(digest.qop, DIGEST_QOP_AUTH_INT);
	assert_true(digest.utf8);
	digest_release(&digest);
	/* curl, Chromium: the last of them counts */
	assert_true(read_first("Digest realm=a, nonce=1, nonce=2, stale=TRUE", &digest));
	assert_string_equal(digest.nonce, "2");
	assert_true(digest.stale);
	digest_release(&digest);
}

static void test_uri(void **state)
{
	static const char *const cases[][2] = {
		{"http://h/a?b", "/a?b"},
		{"http://h", "/"},
		{"http://h?q", "/?q"},
		{"http://h:1/#f", "/"},
		{"ftp://u@h/x", "/x"},
		{"h:443", "h:443"},
		{"[::1]:443", "[::1]:443"},
		{"/a?u=http://h/b", "/a?u=http://h/b"},
		{"*", "*"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *uri = digest_uri(cases[i][0]);

		assert_string_equal(uri, cases[i][1]);
		g_free(uri);
	}
}

static void test_nonces(void **state)
{
	static const struct endpoint proxy = {"p.test", 1}, other = {"p.test", 2};
	struct nonce *nonce;
	struct digest one, two;
	char value[32];

	(void)state;
	assert_true(read_first("Digest realm=r, nonce=1", &one));
	assert_true(read_first("Digest realm=r, nonce=2", &two));
	nonce = nonces_need(&proxy, &one);
	nonce->count = 5;
	assert_int_equal(nonces_need(&proxy, &one)->count, 5);
	assert_null(nonces_find(&other, "1"));
	assert_null(nonces_choose(&other, &one));
	assert_int_equal(nonces_need(&proxy, &two)->count, 0);
	/* That of a request which was not accepted yet is its own. */
	assert_null(nonces_choose(&proxy, &one));
	nonce->proven = true;
	assert_string_equal(nonces_choose(&proxy, &one)->digest.nonce, "1");
	nonces_find(&proxy, "2")->early = true;
	assert_string_equal(nonces_choose(&proxy, &one)->digest.nonce, "2");
	assert_int_equal(strlen(nonces_find(&proxy, "1")->cnonce), CNONCE_MAX);
	assert_string_not_equal(nonces_find(&proxy, "1")->cnonce,
				nonces_find(&proxy, "2")->cnonce);
	/* The youngest, but for those that have just been used. */
	assert_int_equal(nonce_use(nonces_find(&proxy, "2")), 1);
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "1");
	assert_int_equal(nonce_use(nonce), 6);
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "2");
	nonces_find(&proxy, "2")->used = nonce->used = 1;
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "2");
	nonce_refuse(nonces_find(&proxy, "2"), false);
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "1");
	/* Given again, it belongs to the request that was challenged with it. */
	assert_false(nonces_need(&proxy, &two)->refused);
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "1");
	/* Where one is too old, so are the older ones. */
	nonces_find(&proxy, "2")->proven = true;
	nonce_refuse(nonces_find(&proxy, "1"), true);
	assert_string_equal(nonces_choose(&proxy, &two)->digest.nonce, "2");
	nonces_find(&proxy, "1")->refused = false;
	nonce_refuse(nonces_find(&proxy, "2"), true);
	assert_null(nonces_choose(&proxy, &two));
	digest_release(&two);
	assert_true(read_first("Digest realm=s, nonce=3", &two));
	assert_null(nonces_choose(&proxy, &two));
	/* Memory is bounded. */
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(value, sizeof(value), "n%u", i);
		g_free(two.nonce);
		two.nonce = g_strdup(value);
		nonces_need(&proxy, &two);
	}
	assert_null(nonces_find(&proxy, "1"));
	assert_null(nonces_find(&proxy, "n900"));
	assert_non_null(nonces_find(&proxy, "n999"));
	digest_release(&one);
	digest_release(&two);
}

static const struct scheme *choose(const struct scheme_request *request)
{
	const struct scheme *candidates[SCHEMES_MAX + 1];
	struct scheme_policy policy;

	scheme_policy_init(&policy);
	scheme_candidates(&policy, request->challenges, request, 0, candidates);
	return candidates[0];
}

/* Is there an answer, and by which quality of protection? */
static const char *answer_to(const char *value, struct scheme_request request)
{
	GPtrArray *challenges = g_ptr_array_new();
	const struct endpoint proxy = {"body.test", 1};
	const char *qop = NULL, *text;
	struct credential *credential =
		credential_new(CREDENTIAL_SESSION, &proxy, "a", "b", 1);
	char storage[1024] = "";
	struct gp_buf out;

	g_ptr_array_add(challenges, (gpointer)value);
	request.challenges = challenges;
	request.proxy = &proxy;
	request.challenged = true;
	gp_buf_init(&out, storage, sizeof(storage) - 1);
	if (choose(&request) == &scheme_digest &&
	    scheme_digest.authorize(credential, &request, &out, &text) == SCHEME_OK)
		qop = strstr(storage, "qop=auth-int,") ? "auth-int" : "auth";
	credential_unref(credential);
	g_ptr_array_unref(challenges);
	return qop;
}

/* auth-int takes a body that is known. */
static void test_bodies(void **state)
{
	const struct scheme_request get = {.method = "GET", .uri = "/", .bodiless = true};
	const struct scheme_request post = {.method = "POST", .uri = "/"};
	const char *both = "Digest nonce=x, qop=\"auth-int,auth\"";
	const char *only = "Digest nonce=x, qop=\"auth-int\"";
	const char *basic = "Digest nonce=x, qop=auth-int, Basic realm=x";
	const char *weaker = "Digest nonce=x, qop=auth-int, algorithm=SHA-256, "
			     "Digest nonce=x, qop=auth";
	GPtrArray *challenges = g_ptr_array_new();

	(void)state;
	assert_string_equal(answer_to(both, get), "auth");
	assert_string_equal(answer_to(both, post), "auth");
	assert_string_equal(answer_to(only, get), "auth-int");
	assert_null(answer_to(only, post));
	assert_string_equal(answer_to(weaker, get), "auth-int");
	assert_string_equal(answer_to(weaker, post), "auth");
	g_ptr_array_add(challenges, (gpointer)basic);
	assert_ptr_equal(choose(&(struct scheme_request){.challenges = challenges,
							 .method = "POST"}),
			 &scheme_basic);
	/* Nobody knows yet whether it has one. */
	assert_ptr_equal(choose(&(struct scheme_request){.challenges = challenges}),
			 &scheme_digest);
	g_ptr_array_unref(challenges);
}

static void assert_composed(const char *text, size_t len)
{
	char *wanted = g_utf8_normalize(text, (gssize)len, G_NORMALIZE_NFC);
	struct secret *got = nfc_new(text, len);

	if (!got) {
		assert_true(g_str_is_ascii(text));
		assert_string_equal(text, wanted);
	} else {
		assert_int_equal(got->len, strlen(wanted));
		assert_string_equal(got->bytes, wanted);
	}
	secret_free(got);
	g_free(wanted);
}

/* Against GLib's own, which is not for secrets. */
static void test_nfc(void **state)
{
	static const gunichar pieces[] = {
		'a', 'A',    0x307,  0x323,  0x301,  0x30a,  0x327,  0x308, 0x1100,
		'e', 0x1161, 0x11a8, 0xac00, 0x212b, 0x3099, 0x304b, 0x5d0, 0x5b7,
		'o', 0x31b,  0x1e0b, 0xe4,   0x345,  0x3b1,  0x9c7,  0x9be, 0x1f0a1,
	};
	gunichar chars[8];
	char utf8[64];
	gint len;

	(void)state;
	for (gunichar c = 1; c <= 0x10ffff; c++) {
		if (!g_unichar_validate(c))
			continue;
		len = g_unichar_to_utf8(c, utf8);
		len += g_unichar_to_utf8(0x301, utf8 + len);
		utf8[len] = '\0';
		assert_composed(utf8, (size_t)len);
	}
	for (unsigned i = 0; i < 100000; i++) {
		len = 0;
		for (size_t j = 0; j < G_N_ELEMENTS(chars); j++) {
			chars[j] = pieces[(i * 2654435761u >> (3 * j)) %
					  G_N_ELEMENTS(pieces)];
			len += g_unichar_to_utf8(chars[j], utf8 + len);
		}
		utf8[len] = '\0';
		assert_composed(utf8, (size_t)len);
	}
	assert_null(nfc_new("\xff", 1));
	assert_null(nfc_new("\xc3\xa4\0x", 4));
	assert_null(nfc_new("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),    cmocka_unit_test(test_userhash),
		cmocka_unit_test(test_headers),    cmocka_unit_test(test_userhash_header),
		cmocka_unit_test(test_nc),         cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_challenges), cmocka_unit_test(test_uri),
		cmocka_unit_test(test_nonces),     cmocka_unit_test(test_misprint),
		cmocka_unit_test(test_bodies),     cmocka_unit_test(test_nfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
