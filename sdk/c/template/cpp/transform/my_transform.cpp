/*
 * A transform that replaces a text in each value, such as a secret by asterisks: change it into yours.
 *
 * Enters: records, one at a time. Leaves: the same records. Invariant: a value without the text keeps its bytes where they are.
 */
#include <lockgate.h>

#include <string>

namespace {

class MyTransform {
public:
    explicit MyTransform(const lg_settings *settings) : find(lg_text(settings, "find")), put(lg_text(settings, "put")) {}

    lg_flow apply(lg_edit *record) const {
        const lg_bytes bytes = lg_edit_value(record);
        if (!bytes.ptr) return LG_KEEP; /* a tombstone; LG_DROP would drop the record */
        std::string value(reinterpret_cast<const char *>(bytes.ptr), bytes.len);
        std::size_t at = value.find(find);
        if (at == std::string::npos) return LG_KEEP;
        for (; at != std::string::npos; at = value.find(find, at + put.size())) value.replace(at, find.size(), put);
        lg_edit_set_value(record, lg_bytes{reinterpret_cast<const std::uint8_t *>(value.data()), value.size()});
        return LG_KEEP;
    }

private:
    std::string find, put;
};

const lg_config config[] = {
    {.name = "find", .type = LG_STRING, .required = true, .documentation = "The text to replace.", .importance = LG_HIGH},
    {.name = "put", .type = LG_STRING, .default_value = "***", .documentation = "What stands there instead."},
    {},
};

const lg_transform transform = {
    .about = {
        .class_name = "com.example.MyTransform",
        .documentation = "Replaces a text in each value.",
        .config = config,
        .encodings = {LG_BYTES, LG_JSON},
    },
    .open = [](const lg_task *step, void **self) {
        if (!*lg_text(step->settings, "find")) return lg_bad_config("find", "must not be empty");
        *self = new MyTransform(step->settings);
        return lg_settings_ok();
    },
    .apply = [](void *self, lg_edit *record) { return static_cast<const MyTransform *>(self)->apply(record); },
    .close = [](void *self) { delete static_cast<MyTransform *>(self); },
};
const lg_transform *const transforms[] = {&transform, nullptr};

} // namespace

extern const lg_package lockgate_package = {.name = "my-transform", .version = "0.1.0", .transforms = transforms};
