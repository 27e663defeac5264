/*
 * The same header in C++: a transform with a class of its own, on this machine.
 */
#include "lockgate_test.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>

#define CHECK(what) \
    if (!(what)) { std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what); std::exit(1); }

namespace {

class Shout {
public:
    explicit Shout(const lg_settings *settings) : end(lg_text(settings, "end")) {}

    lg_flow apply(lg_edit *record) {
        const lg_bytes old = lg_edit_value(record);
        if (!old.ptr) return LG_DROP;
        std::string loud(reinterpret_cast<const char *>(old.ptr), old.len);
        for (char &c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        loud += end;
        lg_edit_set_value(record, lg_bytes{reinterpret_cast<const std::uint8_t *>(loud.data()), loud.size()});
        return LG_KEEP;
    }

private:
    std::string end;
};

const lg_config config[] = {{.name = "end", .type = LG_STRING, .default_value = "!", .documentation = "What comes last."}, {}};

const lg_transform shout = {
    .about = {.class_name = "com.example.Shout", .config = config},
    .open = [](const lg_task *step, void **self) {
        *self = new Shout(step->settings);
        return lg_settings_ok();
    },
    .apply = [](void *self, lg_edit *record) { return static_cast<Shout *>(self)->apply(record); },
    .close = [](void *self) { delete static_cast<Shout *>(self); },
};

const lg_transform *const transforms[] = {&shout, nullptr};

} // namespace

extern const lg_package lockgate_package = {.name = "shout", .version = "0.1.0", .transforms = transforms};

#ifndef __wasm__
int main() {
    const char *const none[] = {nullptr};
    const lg_task step = {.connector = "test", .settings = lgt_settings(config, none)};
    void *self = nullptr;
    CHECK(lockgate_package.transforms[0]->open(&step, &self) == LG_OK);
    lg_writer *in = lgt_writer(10, 1000);
    lg_write(in, lg_write_topic(in, "t"), lg_null(), lg_str("hey"));
    lg_write(in, 0, lg_null(), lg_null());
    lg_batch batch = lgt_batch(in), out;
    CHECK(lgt_apply(&shout, self, &batch, 0, &out) == LG_KEEP && lg_is(lg_value(lg_at(&out, 0)), "HEY!"));
    CHECK(lgt_apply(&shout, self, &batch, 1, &out) == LG_DROP);
    shout.close(self);
    lgt_free_writer(in);
    std::puts("test result: ok. 1 passed; 0 failed; 0 ignored");
    return 0;
}
#endif
