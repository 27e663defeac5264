/*
 * Tests on this machine: `build.sh --test`. Each is a sentence; the first that is not true ends the run.
 */
#include "redact.h"

#include <lockgate_test.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
    if (!(what)) { fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); exit(1); }

enum { VALUE, KEY, HEADERS };

static void *opened(size_t which, const char *const *settings, lg_encoding encoding) {
    const lg_transform *t = lockgate_package.transforms[which];
    const lg_task step = {.connector = "t", .settings = lgt_settings(t->about.config, settings), .formats = {encoding, encoding, encoding}};
    void *self = NULL;
    CHECK(t->open(&step, &self) == LG_OK);
    return self;
}

/* What becomes of a value of `len` bytes; "BAD" if the record failed. */
static const char *become_of(const char *const *settings, lg_encoding encoding, bool typed, const char *from, size_t len) {
    const lg_transform *t = lockgate_package.transforms[VALUE];
    void *self = opened(VALUE, settings, encoding);
    lg_writer *in = lgt_writer(10, 1 << 20);
    lg_row *row = lg_write(in, lg_write_topic(in, "t"), lg_null(), (lg_bytes){(const uint8_t *)from, len});
    if (typed) row->value_schema = lg_write_schema(in, "{\"type\":\"struct\"}");
    lg_batch batch = lgt_batch(in), out;
    const char *text = "BAD";
    if (lgt_apply(t, self, &batch, 0, &out) == LG_KEEP) {
        lg_bytes value = lg_value(lg_at(&out, 0));
        text = lg_format("%.*s", (int)value.len, (const char *)value.ptr);
    }
    t->close(self);
    lgt_free_writer(in);
    return text;
}

static const char *json(const char *const *settings, const char *from) {
    return become_of(settings, LG_JSON, false, from, strlen(from));
}

#define GIVES(settings, from, to) \
    do { \
        const char *is = json(settings, from); \
        if (strcmp(is, to) != 0) { fprintf(stderr, "%s:%d: %s\n  gave %s\n  not  %s\n", __FILE__, __LINE__, from, is, to); exit(1); } \
    } while (0)
#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void fields_are_found_by_their_paths(void) {
    const char *const *nested = SETTINGS("fields", "a.b,list[*].c,first[1],*.any,x\\.y");
    GIVES(nested, "{\"a\": {\"b\":\"s\",\"c\":\"t\"}, \"b\":1}", "{\"a\": {\"b\":\"***\",\"c\":\"t\"}, \"b\":1}");
    GIVES(nested, "{\"list\":[{\"c\":1},{\"d\":2},[{\"c\":3}],{\"c\":[1,{\"x\":2}]}]}",
          "{\"list\":[{\"c\":\"***\"},{\"d\":2},[{\"c\":3}],{\"c\":\"***\"}]}");
    GIVES(nested, "{\"first\":[\"a\",\"b\",\"c\"],\"q\":{\"any\":true},\"x.y\":null}",
          "{\"first\":[\"a\",\"***\",\"c\"],\"q\":{\"any\":\"***\"},\"x.y\":null}");
    GIVES(nested, "{\"a\":{\"b\":\"s\"},\"a\":{\"b\":\"twice\"}}", "{\"a\":{\"b\":\"***\"},\"a\":{\"b\":\"***\"}}");
    GIVES(nested, " [1 , 2 ] ", " [1 , 2 ] ");
    const char *const *deep = SETTINGS("fields", "**.password");
    GIVES(deep, "{\"password\":1,\"a\":[{\"b\":{\"password\":\"x\",\"pass\":\"y\"}}]}",
          "{\"password\":\"***\",\"a\":[{\"b\":{\"password\":\"***\",\"pass\":\"y\"}}]}");
    GIVES(SETTINGS("fields", "$"), " \"all\" ", " \"***\" ");
    GIVES(SETTINGS("fields", "$.a[0][1]"), "{\"a\":[[1,2],[3,4]]}", "{\"a\":[[1,\"***\"],[3,4]]}");
}

static void names_and_texts_are_what_they_mean_however_they_are_escaped(void) {
    GIVES(SETTINGS("fields", "pass"), "{\"p\\u0061ss\":\"x\"}", "{\"p\\u0061ss\":\"***\"}");
    GIVES(SETTINGS("fields", "żółć.🐢"), "{\"\\u017c\\u00f3\\u0142\\u0107\":{\"\\ud83d\\udc22\":\"x\"},\"żółć\":{\"🐢\":1}}",
          "{\"\\u017c\\u00f3\\u0142\\u0107\":{\"\\ud83d\\udc22\":\"***\"},\"żółć\":{\"🐢\":\"***\"}}");
    GIVES(SETTINGS("fields", "a", "replacement", "q\"\\\n"), "{\"a\":\"}\\\"{\",\"b\":\"\\\\\"}", "{\"a\":\"q\\\"\\\\\\u000a\",\"b\":\"\\\\\"}");
    GIVES(SETTINGS("patterns", "email"), "{\"a\":\"to \\u0061@b.example\\n\\ud800\"}", "{\"a\":\"to ***\\u000a\\ud800\"}");
    GIVES(SETTINGS("fields", "a", "action", "keep-last"), "{\"a\":\"żółw🐢żó\",\"b\":0}", "{\"a\":\"***w🐢żó\",\"b\":0}");
    GIVES(SETTINGS("fields", "a", "action", "keep-last"), "{\"a\":\"four\"}", "{\"a\":\"****\"}");
    GIVES(SETTINGS("fields", "a", "action", "keep-last", "keep.last", "0"), "{\"a\":\"x\"}", "{\"a\":\"*\"}");
}

static void what_is_no_json_is_a_bad_record(void) {
    static const char *const bad[] = {"", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "01", "1.", "-", "1e", "tru", "nul", "\"a",
                                      "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "{} x", "{a:1}", "'a'", "[\"\xff\"]", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
                                      "{\"a\":1]", "\"\\", "+1", ".5", "nulll"};
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) GIVES(SETTINGS("fields", "x"), bad[at], "BAD");
    static const char *const good[] = {"0", "-0", "1.5e+7", "1E-2", "\"\\/\\b\"", "[]", "{}", "[[],{}]", "\t{ \"a\" : [ ] }\r\n", "true"};
    for (size_t at = 0; at < sizeof good / sizeof *good; at++) GIVES(SETTINGS("fields", "x"), good[at], good[at]);
    char levels[2 * 201 + 1];
    for (size_t deep = 200; deep <= 201; deep++) {
        memset(levels, '[', deep);
        memset(levels + deep, ']', deep);
        levels[2 * deep] = 0;
        GIVES(SETTINGS("fields", "x"), levels, deep == 200 ? levels : "BAD");
    }
}

static void a_schema_keeps_the_types(void) {
    const char *const *settings = SETTINGS("fields", "n,b,o,s,z", "patterns", "card");
    const char *from = "{\"n\":1.5,\"b\":true,\"o\":{\"x\":\"t\",\"y\":[1,null]},\"s\":\"t\",\"z\":null,\"k\":4111111111111111}";
    CHECK(strcmp(become_of(settings, LG_JSON, true, from, strlen(from)),
                 "{\"n\":0,\"b\":false,\"o\":{\"x\":\"***\",\"y\":[0,null]},\"s\":\"***\",\"z\":null,\"k\":0}") == 0);
    GIVES(settings, from, "{\"n\":\"***\",\"b\":\"***\",\"o\":\"***\",\"s\":\"***\",\"z\":null,\"k\":\"***\"}");
}

static void patterns_are_found_and_their_look_alikes_are_not(void) {
    static const struct {
        const char *pattern, *from, *to;
    } all[] = {
        {"card", "pay 4111 1111 1111 1111 now", "pay # now"}, {"card", "4111-1111-1111-1111", "#"}, {"card", "4111111111111112", NULL},
        {"card", "378282246310005,6011000990139424.", "#,#."}, {"card", "x4111111111111111", NULL}, {"card", "41111111111111110", NULL},
        {"card", "id 0000000000000000", NULL}, {"card", "1.4111111111111111", NULL}, {"card", "4222222222222", "#"},
        {"email", "<ann.o'hara+x@mail.example.co.uk>", "<#>"}, {"email", "a@b", NULL}, {"email", "a@b.c", NULL}, {"email", "@b.com", NULL},
        {"email", "a@b.com.", "#."}, {"email", "jürgen@straße.de, x@y.zz", "#, #"}, {"email", "a@.com", NULL}, {"email", "a@@b.com", NULL},
        {"iban", "DE89 3704 0044 0532 0130 00 and", "# and"}, {"iban", "GB82WEST12345698765432", "#"}, {"iban", "gb82west12345698765432", "#"},
        {"iban", "DE89370400440532013001", NULL}, {"iban", "XDE89370400440532013000", NULL}, {"iban", "NO9386011117947!", "#!"},
        {"iban", "ZZ89370400440532013000", NULL}, {"iban", "DE893704004405320130001", NULL},
        {"ip", "from 10.0.0.1:80", "from #:80"}, {"ip", "1.2.3.256", NULL}, {"ip", "1.2.3.4.5", NULL}, {"ip", "v1.2.3.4", NULL},
        {"ip", "1.2.3.4.", "#."}, {"ip", "[2001:db8::1]:80", "[#]:80"}, {"ip", "::ffff:1.2.3.4 ::1", "# #"}, {"ip", "::1.2.3.4", "#"},
        {"ip", "at 12:34:56", NULL}, {"ip", "00:1a:2b:3c:4d:5e", NULL}, {"ip", "std::string a::z", NULL}, {"ip", "fe80::", "#"},
        {"ip", "1:2:3:4:5:6:7:8", "#"}, {"ip", "1:2:3:4:5:6:7:8:9", NULL}, {"ip", "::", NULL}, {"ip", "12345::1", NULL},
    };
    for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
        const char *const *settings = SETTINGS("patterns", all[at].pattern, "replacement", "#");
        const char *to = all[at].to ? all[at].to : all[at].from;
        GIVES(settings, lg_format("[\"%s\",7]", all[at].from), lg_format("[\"%s\",7]", to));
        CHECK(strcmp(become_of(settings, LG_BYTES, false, all[at].from, strlen(all[at].from)), to) == 0);
    }
    GIVES(SETTINGS("patterns", "card,email,iban,ip"), "{\"a@b.com\":[4111111111111111,-1,\"a@b.com 1.1.1.1\",42]}",
          "{\"a@b.com\":[\"***\",-1,\"*** ***\",42]}");
}

static void the_hmac_is_that_of_the_standard(void) {
    uint8_t key[131], is[32];
    hmac_key prepared;
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const uint8_t two[] = {0x5b, 0xdc, 0xc1, 0x46}, six[] = {0x60, 0xe4, 0x31, 0x59};
    hmac_prepare((const uint8_t *)"Jefe", 4, &prepared); /* RFC 4231, 2 and 6 */
    hmac_sha256(&prepared, (const uint8_t *)"what do ya want for nothing?", 28, is);
    CHECK(memcmp(is, two, 4) == 0);
    memset(key, 0xaa, sizeof key);
    hmac_prepare(key, sizeof key, &prepared);
    hmac_sha256(&prepared, (const uint8_t *)text, strlen(text), is);
    CHECK(memcmp(is, six, 4) == 0);
    const char *const *settings = SETTINGS("fields", "a", "patterns", "card", "action", "hmac", "hmac.key", "Jefe", "hmac.length", "16");
    GIVES(settings, "{\"a\":\"what do ya want for nothing?\"}", "{\"a\":\"5bdcc146bf60754e\"}");
    const char *spaced = json(settings, "[\"4111 1111 1111 1111\"]");
    CHECK(strcmp(spaced, json(settings, "[\"4111111111111111\"]")) == 0 && strcmp(spaced, json(settings, "[4111111111111111]")) == 0);
    CHECK(strlen(spaced) == 20);
}

static void bytes_need_not_be_json_unless_a_path_goes_inside(void) {
    CHECK(strcmp(become_of(SETTINGS("fields", "$"), LG_BYTES, false, "\0x", 2), "***") == 0);
    CHECK(strcmp(become_of(SETTINGS("fields", "a"), LG_BYTES, false, "x", 1), "BAD") == 0);
    CHECK(strcmp(become_of(SETTINGS("fields", "a"), LG_BYTES, false, "{\"a\":1}", 7), "{\"a\":\"***\"}") == 0);
}

static void keys_and_headers_have_transforms_of_their_own(void) {
    lg_writer *in = lgt_writer(10, 1000);
    lg_batch out;
    lg_write(in, lg_write_topic(in, "t"), lg_str("\"ann@example.com\""), lg_null());
    lg_write_header(in, "token", lg_str("\"abc\""));
    lg_write_header(in, "from", lg_str("\"ann@example.com\""));
    lg_write_header(in, "token", lg_null());
    lg_batch batch = lgt_batch(in);
    const char *const *settings = SETTINGS("patterns", "email");
    void *self = opened(KEY, settings, LG_JSON);
    CHECK(lgt_apply(lockgate_package.transforms[KEY], self, &batch, 0, &out) == LG_KEEP && lg_is(lg_key(lg_at(&out, 0)), "\"***\""));
    CHECK(!lg_value(lg_at(&out, 0)).ptr);
    self = opened(HEADERS, SETTINGS("patterns", "email", "fields", "token", "replacement", "-"), LG_JSON);
    CHECK(lgt_apply(lockgate_package.transforms[HEADERS], self, &batch, 0, &out) == LG_KEEP);
    lg_record record = lg_at(&out, 0);
    CHECK(lg_header_count(record) == 3 && lg_is(lg_header_at(record, 0).value, "\"-\"") && lg_is(lg_header_at(record, 1).value, "\"-\""));
    CHECK(lg_is(lg_header_at(record, 1).name, "from") && !lg_header_at(record, 2).value.ptr && lg_is(lg_key(record), "\"ann@example.com\""));
}

static void what_cannot_be_is_refused_at_the_start(void) {
    const char *const *const wrong[] = {
        (const char *const[]){NULL}, (const char *const[]){"fields", "a..b", NULL}, (const char *const[]){"fields", "a[x]", NULL},
        (const char *const[]){"fields", "a[1]b", NULL}, (const char *const[]){"fields", "a.**", NULL},
        (const char *const[]){"fields", "a]", NULL}, (const char *const[]){"fields", "a.", NULL}, (const char *const[]){"patterns", "phone", NULL},
        (const char *const[]){"fields", "a", "action", "hmac", NULL},
    };
    const lg_transform *t = lockgate_package.transforms[VALUE];
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        const lg_task step = {.settings = lgt_settings(t->about.config, wrong[at])};
        void *self;
        lgt_begin();
        CHECK(t->open(&step, &self) == LG_FAILED && strcmp(lgt_fault_code(), "config.invalid") == 0);
        CHECK(*lgt_validate(&t->about, step.settings));
    }
    lgt_begin();
}

/* Bytes changed and cut at random: nothing but JSON passes, and what passes twice is the same. */
static void broken_bytes_do_no_harm(void) {
    static const char seed[] = "{\"a\":{\"b\":\"x\\u0061\\n\"},\"list\":[{\"c\":4111111111111111},\"a@b.com 10.0.0.1\",-1.5e3,true,null]}";
    const char *const *settings = SETTINGS("fields", "a.b,**.c", "patterns", "card,email,iban,ip");
    uint32_t random = 7;
    char bytes[sizeof seed];
    for (size_t round = 0; round < 20000; round++) {
        memcpy(bytes, seed, sizeof seed);
        for (size_t change = 0; change < 3; change++) {
            random = random * 1664525u + 1013904223u;
            bytes[(random >> 8) % (sizeof seed - 1)] = (char)(random >> 24);
        }
        size_t len = random % 5 ? sizeof seed - 1 : (random >> 4) % sizeof seed;
        const char *once = become_of(settings, LG_JSON, false, bytes, len);
        if (strcmp(once, "BAD") != 0) CHECK(strcmp(json(settings, once), once) == 0);
        lgt_begin();
    }
}

int main(void) {
    fields_are_found_by_their_paths();
    names_and_texts_are_what_they_mean_however_they_are_escaped();
    what_is_no_json_is_a_bad_record();
    a_schema_keeps_the_types();
    patterns_are_found_and_their_look_alikes_are_not();
    the_hmac_is_that_of_the_standard();
    bytes_need_not_be_json_unless_a_path_goes_inside();
    keys_and_headers_have_transforms_of_their_own();
    what_cannot_be_is_refused_at_the_start();
    broken_bytes_do_no_harm();
    puts("test result: ok. 10 passed; 0 failed; 0 ignored");
    return 0;
}
