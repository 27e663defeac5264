/*
 * The transform on this machine, without a sandbox: `make test`.
 */
#include <lockgate_test.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
    if (!(what)) { fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); exit(1); }

int main(void) {
    const lg_transform *transform = lockgate_package.transforms[0];
    const char *pairs[] = {"find", "a", NULL};
    const lg_task step = {.connector = "test", .settings = lgt_settings(transform->about.config, pairs)};
    void *self;
    CHECK(transform->open(&step, &self) == LG_OK);
    lg_writer *in = lgt_writer(10, 1000);
    lg_write(in, lg_write_topic(in, "t"), lg_null(), lg_str("a b a"));
    lg_write(in, 0, lg_null(), lg_str("b"));
    lg_write(in, 0, lg_null(), lg_null());
    lg_batch batch = lgt_batch(in), out;
    CHECK(lgt_apply(transform, self, &batch, 0, &out) == LG_KEEP && lg_is(lg_value(lg_at(&out, 0)), "*** b ***"));
    CHECK(lgt_apply(transform, self, &batch, 1, &out) == LG_KEEP && lg_is(lg_value(lg_at(&out, 0)), "b"));
    CHECK(lgt_apply(transform, self, &batch, 2, &out) == LG_KEEP && !lg_value(lg_at(&out, 0)).ptr);
    transform->close(self);
    lgt_free_writer(in);
    puts("test result: ok. 1 passed; 0 failed; 0 ignored");
    return 0;
}
