/*
 * The source on this machine, without a sandbox: `make test`.
 */
#include <lockgate_test.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
    if (!(what)) { fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); exit(1); }

int main(void) {
    const lg_source *source = lockgate_package.sources[0];
    const char *pairs[] = {"topic", "t", NULL};
    const lg_task task = {.connector = "test", .settings = lgt_settings(source->about.config, pairs)};
    const lg_position stored = {"{\"heart\":\"t\"}", "{\"beat\":7}"}, wrong = {"{\"heart\":\"t\"}", "{\"line\":7}"};
    void *self;
    CHECK(source->open(&task, &stored, 1, &self) == LG_OK);
    lg_writer *out = lgt_writer(10, 1000);
    lg_position position;
    uint32_t after;
    CHECK(source->poll(self, out) == LG_OK && lgt_position(out, 0, &position, &after));
    CHECK(strcmp(position.offset, "{\"beat\":8}") == 0 && after == 0);
    lg_batch batch = lgt_batch(out);
    CHECK(lg_is(lg_value(lg_at(&batch, 0)), "{\"beat\":8}"));
    CHECK(source->close(self) == LG_OK && source->open(&task, &wrong, 1, &self) == LG_FAILED);
    lgt_free_writer(out);
    puts("test result: ok. 1 passed; 0 failed; 0 ignored");
    return 0;
}
