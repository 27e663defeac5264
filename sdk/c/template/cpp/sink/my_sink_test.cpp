/*
 * The sink on this machine, without a sandbox: `make test`.
 */
#include <lockgate_test.h>

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#define CHECK(what) \
    if (!(what)) { std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); std::exit(1); }

int main(void) {
    char path[] = "/tmp/my-sink-XXXXXX", text[64];
    CHECK(mkstemp(path) >= 0);
    const lg_sink *sink = lockgate_package.sinks[0];
    const char *pairs[] = {"file", path, "separator", "|", nullptr};
    const lg_task task = {.connector = "test", .settings = lgt_settings(sink->about.config, pairs)};
    lg_writer *records = lgt_writer(10, 1000);
    uint32_t topic = lg_write_topic(records, "t");
    lg_write(records, topic, lg_str("k"), lg_str("v"));
    lg_write(records, topic, lg_null(), lg_null());
    lg_batch batch = lgt_batch(records);
    lg_report *report = lgt_report();
    void *self;
    size_t count = 0;
    CHECK(sink->open(&task, &self) == LG_OK && sink->put(self, &batch, report) == LG_OK);
    CHECK(lgt_bad_rows(report) == 1); /* the tombstone */
    CHECK(sink->prepare_commit(self, nullptr, &count) == LG_OK && sink->close(self) == LG_OK);
    std::FILE *file = std::fopen(path, "r");
    CHECK(file && fgets(text, sizeof text, file) && strcmp(text, "t|k|v\n") == 0);
    unlink(path);
    std::puts("test result: ok. 1 passed; 0 failed; 0 ignored");
    return 0;
}
